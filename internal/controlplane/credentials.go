package main

import (
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The names below the state directory that flags.go refers to.
const (
	caFile              = "ca"
	serverFile          = "kube-apiserver"
	accountsFile        = "service-accounts"
	frontProxyCAFile    = "front-proxy-ca"
	frontProxyFile      = "front-proxy-client"
	controllersUserFile = "kube-controller-manager.kubeconfig"
	schedulerUserFile   = "kube-scheduler.kubeconfig"
)

// credentials are those that this process and its user need.
type credentials struct {
	kubeconfig []byte       // of an administrator
	admin      *rest.Config // the same, for this process
}

// writeCredentials makes a new certificate authority with everything the
// components need of it, and writes it to the files that their flags name.
func writeCredentials(dir *stateDir, server string) (*credentials, error) {
	ca, err := newAuthority("strata-test-ca")
	if err != nil {
		return nil, err
	}
	if err := writeCertificates(dir, ca); err != nil {
		return nil, err
	}
	for file, user := range map[string]string{
		controllersUserFile: "system:kube-controller-manager",
		schedulerUserFile:   "system:kube-scheduler",
	} {
		text, err := kubeconfig(ca, server, user)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(dir.file(file), text, 0o600); err != nil {
			return nil, fmt.Errorf("writing credentials: %w", err)
		}
	}
	text, err := kubeconfig(ca, server, "admin", "system:masters")
	if err != nil {
		return nil, err
	}
	return credentialsOf(text)
}

// credentialsOf reads the kubeconfig of an administrator.
func credentialsOf(kubeconfig []byte) (*credentials, error) {
	admin, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	return &credentials{kubeconfig: kubeconfig, admin: admin}, nil
}

// writeCertificates writes the keys and certificates of the servers.
func writeCertificates(dir *stateDir, ca *certificate) error {
	frontProxyCA, err := newAuthority("strata-test-front-proxy-ca")
	if err != nil {
		return err
	}
	server, err := ca.server()
	if err != nil {
		return err
	}
	accounts, err := ca.client("service-accounts") // only its key is used, to sign tokens
	if err != nil {
		return err
	}
	frontProxy, err := frontProxyCA.client(frontProxyFile)
	if err != nil {
		return err
	}
	for file, c := range map[string]*certificate{
		caFile:           ca,
		serverFile:       server,
		accountsFile:     accounts,
		frontProxyCAFile: frontProxyCA,
		frontProxyFile:   frontProxy,
	} {
		if err := c.write(dir.file(file)); err != nil {
			return fmt.Errorf("writing certificates: %w", err)
		}
	}
	return nil
}

// kubeconfig makes a kubeconfig with everything in it for a new user.
func kubeconfig(ca *certificate, server, user string, groups ...string) ([]byte, error) {
	client, err := ca.client(user, groups...)
	if err != nil {
		return nil, err
	}
	const name = "strata-test"
	text, err := clientcmd.Write(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: server, CertificateAuthorityData: ca.certPEM}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{user: {ClientCertificateData: client.certPEM, ClientKeyData: client.keyPEM}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: user}},
		CurrentContext: name,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding a kubeconfig: %w", err)
	}
	return text, nil
}
