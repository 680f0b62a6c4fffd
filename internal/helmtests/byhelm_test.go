package helmtests

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest/fake"

	"github.com/strata-go/strata/internal/manifest"
)

// byHelm runs a chart with Helm's actions, which think that they have a cluster.
type byHelm struct {
	*testing.T
	testChart
	cfg *action.Configuration
	*recorder
}

func newByHelm(t *testing.T, c testChart, caps *chartutil.Capabilities) *byHelm {
	t.Helper()
	r := &recorder{fail: c.fails, there: map[string]bool{}}
	cfg := &action.Configuration{Releases: storage.Init(driver.NewMemory()), KubeClient: r, Capabilities: caps, Log: func(string, ...any) {}}
	return &byHelm{t, c, cfg, r}
}

// do carries one step of a life out, and returns what it did to hooks.
func (h *byHelm) do(s step) []string {
	h.Helper()
	h.trace = nil
	c, err := loader.LoadFiles(h.files)
	if err != nil {
		h.Fatal(err)
	}
	switch s.action {
	case "install":
		install := action.NewInstall(h.cfg)
		install.ReleaseName, install.Namespace, install.SkipCRDs = releaseName, namespace, true
		_, err = install.Run(c, s.values())
	case "upgrade":
		upgrade := action.NewUpgrade(h.cfg)
		upgrade.Namespace, upgrade.MaxHistory = namespace, 10
		_, err = upgrade.Run(releaseName, c, s.values())
	case "rollback":
		back := action.NewRollback(h.cfg)
		back.Version = s.revision
		err = back.Run(releaseName)
	default:
		_, err = action.NewUninstall(h.cfg).Run(releaseName)
	}
	if h.tests && err == nil && s.action != "uninstall" {
		_, err = action.NewReleaseTesting(h.cfg).Run(releaseName)
	}
	if err != nil {
		return append(h.trace, "error")
	}
	return h.trace
}

// rendered returns all objects of the last revision, hooks too.
func (h *byHelm) rendered(values map[string]any) ([]manifest.Object, error) {
	c, err := loader.LoadFiles(h.files)
	if err != nil {
		return nil, err
	}
	install := action.NewInstall(h.cfg)
	install.ReleaseName, install.Namespace, install.DryRun, install.IncludeCRDs = releaseName, namespace, true, true
	install.DryRunOption = "server" // it keeps its capabilities
	r, err := install.Run(c, values)
	if err != nil {
		return nil, err
	}
	text := r.Manifest
	for _, hook := range r.Hooks {
		text += "\n---\n" + hook.Manifest
	}
	return manifest.Parse(c.Name(), []byte(text))
}

// A recorder is what Helm takes for the client of a cluster. It has hooks, and of
// all other objects the marker.
type recorder struct {
	trace []string
	fail  string          // the hook that fails
	there map[string]bool // hooks, by kind and name
}

func (r *recorder) note(format string, args ...any) {
	r.trace = append(r.trace, fmt.Sprintf(format, args...))
}

func key(info *resource.Info) string { return info.Mapping.GroupVersionKind.Kind + " " + info.Name }

// nothing answers that there is no such object.
func nothing(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusNotFound, Body: io.NopCloser(bytes.NewReader(nil)), Header: http.Header{}}, nil
}

func (r *recorder) Build(text io.Reader, _ bool) (kube.ResourceList, error) {
	data, err := io.ReadAll(text)
	if err != nil {
		return nil, err
	}
	objects, err := manifest.Parse("manifest", data)
	var list kube.ResourceList
	for _, o := range objects {
		if _, hook := o.GetAnnotations()[release.HookAnnotation]; !hook && o.GetName() != markerName {
			continue
		}
		gvk := o.GroupVersionKind()
		list = append(list, &resource.Info{
			Client:    &fake.RESTClient{NegotiatedSerializer: scheme.Codecs, Client: fake.CreateHTTPClient(nothing)},
			Mapping:   &meta.RESTMapping{GroupVersionKind: gvk, Resource: schema.GroupVersionResource{Group: gvk.Group, Version: gvk.Version, Resource: "any"}, Scope: meta.RESTScopeNamespace},
			Namespace: namespace, Name: o.GetName(), Object: o.Unstructured,
		})
	}
	return list, err
}

func (r *recorder) Create(list kube.ResourceList) (*kube.Result, error) {
	for _, info := range list {
		if info.Name == markerName {
			r.note("release")
			continue
		}
		if r.there[key(info)] {
			return nil, fmt.Errorf("%s is there already", key(info))
		}
		r.there[key(info)] = true
		r.note("create %s", key(info))
	}
	return &kube.Result{Created: list}, nil
}

func (r *recorder) Update(_, target kube.ResourceList, _ bool) (*kube.Result, error) {
	r.note("release")
	return &kube.Result{Updated: target}, nil
}

func (r *recorder) Delete(list kube.ResourceList) (*kube.Result, []error) {
	for _, info := range list {
		if info.Name == markerName {
			r.note("release")
		} else if r.there[key(info)] {
			delete(r.there, key(info))
			r.note("delete %s", key(info))
		}
	}
	return &kube.Result{Deleted: list}, nil
}

func (r *recorder) WatchUntilReady(list kube.ResourceList, _ time.Duration) error {
	for _, info := range list {
		if !ends(info.Object.(*unstructured.Unstructured)) {
			continue
		}
		if info.Name == r.fail {
			r.note("failed %s", key(info))
			return fmt.Errorf("%s failed", key(info))
		}
		r.note("complete %s", key(info))
	}
	return nil
}

func (*recorder) Wait(kube.ResourceList, time.Duration) error         { return nil }
func (*recorder) WaitWithJobs(kube.ResourceList, time.Duration) error { return nil }
func (*recorder) IsReachable() error                                  { return nil }
func (*recorder) WaitAndGetCompletedPodPhase(string, time.Duration) (corev1.PodPhase, error) {
	return corev1.PodSucceeded, nil
}
