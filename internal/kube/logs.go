package kube

import (
	"context"
	"strconv"
)

// Bounds of what [Client.Log] returns.
const (
	logLines = 20
	logBytes = 8 << 10
)

// A Container is one of a pod, whose log is asked for.
type Container struct {
	Name     string
	Previous bool // before it was restarted
}

// Log returns the end of the log of a container: 20 lines, and of these no more
// than 8 KiB.
func (c *Client) Log(ctx context.Context, namespace, pod string, container Container) (string, error) {
	request := c.discovery.RESTClient().Get().
		AbsPath("/api/v1/namespaces", namespace, "pods", pod, "log").
		Param("container", container.Name).
		Param("tailLines", strconv.Itoa(logLines)).
		Param("limitBytes", strconv.Itoa(logBytes))
	if container.Previous {
		request = request.Param("previous", "true")
	}
	text, err := request.DoRaw(ctx)
	return string(text), c.wrap(Ref{Version: "v1", Kind: "Pod", Namespace: namespace, Name: pod}, "reading the log of", err)
}
