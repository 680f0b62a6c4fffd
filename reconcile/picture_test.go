package reconcile

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at what changed with -update:\n%s", path, got)
	}
}

// full is a status in which everything has a value somewhere.
func full() *Status {
	infra, apps := profile.ID{Name: "infra", Version: "1.4.0"}, profile.ID{Name: "apps", Version: "2.0.1"}
	objects := func(n int) []ObjectStatus {
		all := make([]ObjectStatus, n)
		for i := range all {
			all[i] = ObjectStatus{ObjectRef: ObjectRef{Version: "v1", Kind: "ConfigMap", Namespace: "ns", Name: "settings"}, UID: "5f0c", Health: Ready}
		}
		return all
	}
	pack := func(name string, kind layer.Kind, version string, n int, images ...string) LayerStatus {
		pin := layer.Pin{
			Ref:        layer.Ref{Format: layer.FormatPack, Name: name, Version: "~" + version},
			Repository: "oci://registry.example.com/packs/" + name, Resolved: version, Digest: digest.FromString(name),
		}
		return LayerStatus{
			Name: name, Kind: kind, Profile: infra, Format: layer.FormatPack, Package: name, Source: pin.Repository, Version: version, Pin: pin,
			Health: Ready, StartTime: nine, EndTime: ten, Images: images, Objects: objects(n),
		}
	}
	cni := pack("cilium-oss", layer.Network, "1.17.1", 23, "quay.io/cilium/cilium:v1.17.1", "quay.io/cilium/operator-generic:v1.17.1")
	cni.Charts = []ChartStatus{{Name: "cilium", Version: "1.17.1", AppVersion: "1.17.1", Release: "cilium-oss-cilium", Namespace: "kube-system", Revision: 3}}
	cni.Update = &profile.Newer{Layer: "cilium-oss", Source: "cilium-oss", Current: "1.17.1", Minor: "1.18.0"}
	csi := pack("longhorn", layer.Storage, "1.8.0", 31, "longhornio/longhorn-manager:v1.8.0")
	csi.Health, csi.Message = Drifted, "DaemonSet.apps longhorn-system/longhorn-manager: fields of it were changed"
	ingress := pack("ingress", layer.AddOn, "4.12.0", 14, "registry.k8s.io/ingress-nginx/controller:v1.12.0")
	ingress.Profile, ingress.InstallOrder = apps, 1
	ingress.Endpoints = []Endpoint{{Object: ObjectRef{Version: "v1", Kind: "Service", Namespace: "ingress", Name: "front"}, Name: "https", Protocol: "tcp", Host: "lb.example.com", Port: 443}}
	shop := pack("shop", layer.AddOn, "0.9.2", 9, "registry.example.com/shop:0.9.2")
	shop.Profile, shop.InstallOrder, shop.Health, shop.EndTime = apps, 2, Failed, time.Time{}
	shop.Message = `Deployment.apps shop/web: container main of pod web-7d9f: ImagePullBackOff: <no such "image"> & more` + "\x01"
	old := LayerStatus{Name: "settings", Kind: layer.AddOn, Profile: apps, Format: layer.FormatManifests, Source: apps.String(), Health: Removing, Message: unwanted, Objects: objects(1)}
	next := LayerStatus{Name: "last", Kind: layer.AddOn, InstallOrder: 3, Profile: apps, Format: layer.FormatManifests, Source: apps.String(), Health: Progressing, Message: "it waits for the layers below it", Objects: objects(1)}
	csi.Conditions = []Condition{{Type: ConditionReady, Status: ConditionFalse, Reason: string(Drifted), Message: csi.Message, LastTransitionTime: ten}}
	return &Status{
		Target: TargetID{Cluster: "prod-eu-1", Installation: "apps"}, Installed: true, KubernetesVersion: "v1.36.3", Health: Failed, Profiles: []profile.ID{infra, apps},
		Layers: []LayerStatus{pack("ubuntu", layer.OS, "24.04", 0), pack("kubernetes", layer.Kubernetes, "1.36.3", 0), cni, csi, old, ingress, shop, next},
	}
}

// brief returns full with fewer objects, and more about them.
func brief() *Status {
	s := full()
	s.Updates = []profile.Newer{{Source: "infra", Current: "1.4.0", Minor: "1.5.0"}}
	for i := range s.Layers {
		l := &s.Layers[i]
		l.Objects = l.Objects[:min(len(l.Objects), 1)]
		if l.Health == Drifted {
			l.Objects[0].Health, l.Objects[0].Message = Drifted, "fields of it\nwere changed"
			l.Objects[0].Drift = []Drift{{Layer: l.Name, Object: l.Objects[0].ObjectRef, Field: ".data.a", Old: "1", New: "2", Manager: "kubectl-edit", Time: ten, Mode: layer.DriftReport}}
		}
	}
	return s
}

func TestPictures(t *testing.T) {
	t.Parallel()
	golden(t, "status.txt", full().String()+"\n"+full().Picture())
	golden(t, "details.txt", brief().Details()+"\n"+(&Status{Target: TargetID{Cluster: "none"}}).Details())
	golden(t, "status.svg", full().SVG())
	data, err := json.MarshalIndent(full(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "status.json", string(data)+"\n")
}

// The SVG is XML that refers to nothing else, and says all in words.
func TestSVG(t *testing.T) {
	t.Parallel()
	for _, s := range []*Status{full(), {Target: TargetID{Cluster: `<"none">`, Installation: DefaultName}}} {
		text := textOf(t, s.SVG())
		for _, l := range s.Layers {
			for _, want := range []string{l.Name, l.Version, string(l.Health), string(l.Kind)} {
				if !strings.Contains(text, want) {
					t.Errorf("the picture has no %q in\n%s", want, text)
				}
			}
		}
		if !strings.Contains(text, s.Target.String()) {
			t.Errorf("the picture does not name the target %s", s.Target)
		}
	}
}

// textOf returns the text of a document, which must be well formed.
func textOf(t *testing.T, doc string) string {
	t.Helper()
	var text strings.Builder
	for d := xml.NewDecoder(strings.NewReader(doc)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			for _, a := range token.Attr {
				if a.Name.Local == "href" || a.Name.Local == "src" {
					t.Errorf("it refers to %s", a.Value)
				}
			}
		}
	}
}
