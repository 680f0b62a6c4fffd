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

// Log returns the end of the log of a container: 20 lines, and of these no more
// than 8 KiB.
func (c *Client) Log(ctx context.Context, namespace, pod, container string) (string, error) {
	text, err := c.discovery.RESTClient().Get().
		AbsPath("/api/v1/namespaces", namespace, "pods", pod, "log").
		Param("container", container).
		Param("tailLines", strconv.Itoa(logLines)).
		Param("limitBytes", strconv.Itoa(logBytes)).
		DoRaw(ctx)
	return string(text), c.wrap(Ref{Version: "v1", Kind: "Pod", Namespace: namespace, Name: pod}, "reading the log of", err)
}
