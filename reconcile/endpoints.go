package reconcile

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// An Endpoint is where something of a layer can be reached from outside of the
// cluster. Endpoints are comparable.
type Endpoint struct {
	// Object is the Service, Ingress or Gateway.
	Object ObjectRef `json:"object"`
	// Name is that of the port or listener, if it has one.
	Name string `json:"name,omitempty"`
	// Protocol is in lower case: "tcp" and "udp" of a Service, else "http",
	// "https" or what a Gateway says.
	Protocol string `json:"protocol"`
	// Host is a name or an address. It is empty for a port of every node.
	Host string `json:"host,omitempty"`
	Port int    `json:"port"`
}

// String returns "protocol://host:port", with "<node>" for every node.
func (e Endpoint) String() string {
	host := e.Host
	if host == "" {
		host = "<node>"
	}
	return e.Protocol + "://" + net.JoinHostPort(host, strconv.Itoa(e.Port))
}

// endpoints returns where an object can be reached; none if live is nil or
// nothing that others connect to.
func endpoints(live *unstructured.Unstructured) []Endpoint {
	if live == nil {
		return nil
	}
	gvk := live.GroupVersionKind()
	at := Endpoint{Object: ObjectRef{gvk.Group, gvk.Version, gvk.Kind, live.GetNamespace(), live.GetName()}}
	switch gvk.GroupKind().String() {
	case "Service":
		return serviceEndpoints(live.Object, at)
	case "Ingress.networking.k8s.io":
		return ingressEndpoints(live.Object, at)
	case "Gateway.gateway.networking.k8s.io":
		return gatewayEndpoints(live.Object, at)
	}
	return nil
}

func serviceEndpoints(o map[string]any, at Endpoint) []Endpoint {
	var all []Endpoint
	kind := textAt(o, "spec", "type")
	for _, p := range mapsAt(o, "spec", "ports") {
		at.Name, at.Protocol = textAt(p, "name"), strings.ToLower(textAt(p, "protocol"))
		switch kind {
		case "NodePort":
			at.Port = numberAt(p, "nodePort")
			all = append(all, at)
		case "LoadBalancer":
			at.Port = numberAt(p, "port")
			all = append(all, at.on(balancers(o))...)
		}
	}
	return all
}

func ingressEndpoints(o map[string]any, at Endpoint) []Endpoint {
	var secured []string
	for _, t := range mapsAt(o, "spec", "tls") {
		hosts, _, _ := unstructured.NestedStringSlice(t, "hosts")
		secured = append(secured, hosts...)
	}
	var all []Endpoint
	add := func(hosts ...string) {
		for _, host := range hosts {
			at.Protocol, at.Port, at.Host = "http", 80, host
			if slices.Contains(secured, host) {
				at.Protocol, at.Port = "https", 443
			}
			if !slices.Contains(all, at) {
				all = append(all, at)
			}
		}
	}
	rules := mapsAt(o, "spec", "rules")
	for _, r := range rules {
		if host := textAt(r, "host"); host != "" {
			add(host)
		} else {
			add(balancers(o)...)
		}
	}
	if len(rules) == 0 {
		add(balancers(o)...)
	}
	return all
}

func gatewayEndpoints(o map[string]any, at Endpoint) []Endpoint {
	var addresses []string
	for _, a := range mapsAt(o, "status", "addresses") {
		addresses = append(addresses, textAt(a, "value"))
	}
	var all []Endpoint
	for _, l := range mapsAt(o, "spec", "listeners") {
		at.Name, at.Protocol, at.Port = textAt(l, "name"), strings.ToLower(textAt(l, "protocol")), numberAt(l, "port")
		if host := textAt(l, "hostname"); host != "" {
			all = append(all, at.on([]string{host})...)
		} else {
			all = append(all, at.on(addresses)...)
		}
	}
	return all
}

// on returns the endpoint on each of the hosts.
func (e Endpoint) on(hosts []string) []Endpoint {
	all := make([]Endpoint, len(hosts))
	for i, host := range hosts {
		all[i], all[i].Host = e, host
	}
	return all
}

// balancers returns the names or addresses that a load balancer gave.
func balancers(o map[string]any) []string {
	var hosts []string
	for _, b := range mapsAt(o, "status", "loadBalancer", "ingress") {
		if host := textAt(b, "hostname"); host != "" {
			hosts = append(hosts, host)
		} else if ip := textAt(b, "ip"); ip != "" {
			hosts = append(hosts, ip)
		}
	}
	return hosts
}

func textAt(o map[string]any, path ...string) string {
	text, _, _ := unstructured.NestedString(o, path...)
	return text
}

func numberAt(o map[string]any, path ...string) int {
	v, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	n, _ := strconv.Atoi(fmt.Sprint(v))
	return n
}

func mapsAt(o map[string]any, path ...string) []map[string]any {
	list, _, _ := unstructured.NestedSlice(o, path...)
	var all []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}
