package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// helmTimeout is how long Helm's SDK may take for one release.
const helmTimeout = 5 * time.Minute

// helmSDK installs and upgrades as programs do that embed Helm.
type helmSDK struct {
	config    *rest.Config
	namespace string
}

func (h helmSDK) makeNamespace(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(h.config)
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: h.namespace}}, metav1.CreateOptions{})
	return err
}

// installAll installs releases of the small chart and waits until they are
// ready, atOnce at a time.
func (h helmSDK) installAll(ctx context.Context, count, atOnce int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range count {
		g.Go(func() error {
			configuration, c, err := h.prepare()
			if err != nil {
				return err
			}
			install := action.NewInstall(configuration)
			install.ReleaseName, install.Namespace, install.Wait, install.Timeout = releaseName(i), h.namespace, true, helmTimeout
			_, err = install.RunWithContext(ctx, c, nil)
			return err
		})
	}
	return g.Wait()
}

// upgradeAll upgrades the releases to what they are, one after the other.
func (h helmSDK) upgradeAll(ctx context.Context, count int) error {
	for i := range count {
		configuration, c, err := h.prepare()
		if err != nil {
			return err
		}
		upgrade := action.NewUpgrade(configuration)
		upgrade.Namespace, upgrade.Wait, upgrade.Timeout = h.namespace, true, helmTimeout
		if _, err := upgrade.RunWithContext(ctx, releaseName(i), c, nil); err != nil {
			return err
		}
	}
	return nil
}

func (h helmSDK) prepare() (*action.Configuration, *chart.Chart, error) {
	getter, err := newGetter(h)
	if err != nil {
		return nil, nil, err
	}
	configuration := new(action.Configuration)
	if err := configuration.Init(getter, h.namespace, "secret", func(string, ...any) {}); err != nil {
		return nil, nil, err
	}
	var files []*loader.BufferedFile
	for name, file := range small {
		files = append(files, &loader.BufferedFile{Name: name, Data: file.Data})
	}
	c, err := loader.LoadFiles(files)
	return configuration, c, err
}

// getter gives Helm its clients.
type getter struct {
	helmSDK
	discovery discovery.CachedDiscoveryInterface
}

func newGetter(h helmSDK) (*getter, error) {
	client, err := discovery.NewDiscoveryClientForConfig(h.config)
	if err != nil {
		return nil, err
	}
	return &getter{h, memory.NewMemCacheClient(client)}, nil
}

// ToRESTConfig gives a copy, as Helm writes into it.
func (g *getter) ToRESTConfig() (*rest.Config, error) { return rest.CopyConfig(g.config), nil }

func (g *getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.discovery, nil
}

func (g *getter) ToRESTMapper() (meta.RESTMapper, error) {
	return restmapper.NewDeferredDiscoveryRESTMapper(g.discovery), nil
}

func (g *getter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	inNamespace := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: g.namespace}}
	return clientcmd.NewDefaultClientConfig(*clientcmdapi.NewConfig(), inNamespace)
}
