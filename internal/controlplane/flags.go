package main

// Flags that are not here have the defaults of the components: the control plane
// should behave as one in production does, unless a test would wait for it.

func apiserverFlags(dir *stateDir, etcd string) []string {
	return []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		// A loopback address is not allowed in the endpoints of the service
		// "kubernetes", and nothing here could use them.
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=" + dir.file(serverFile+".crt"),
		"--tls-private-key-file=" + dir.file(serverFile+".key"),
		"--client-ca-file=" + dir.file(caFile+".crt"),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + dir.file(accountsFile+".key"),
		"--service-account-signing-key-file=" + dir.file(accountsFile+".key"),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--requestheader-client-ca-file=" + dir.file(frontProxyCAFile+".crt"),
		"--requestheader-allowed-names=" + frontProxyFile,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + dir.file(frontProxyFile+".crt"),
		"--proxy-client-key-file=" + dir.file(frontProxyFile+".key"),
		// The address at which package fake gives logs.
		"--kubelet-preferred-address-types=ExternalIP",
		"--kubelet-certificate-authority=" + dir.file(caFile+".crt"),
		"--profiling=false",
	}
}

func controllersFlags(dir *stateDir) []string {
	return []string{
		"--kubeconfig=" + dir.file(controllersUserFile),
		"--secure-port=0",
		"--leader-elect=false",
		// Package fake deletes namespaces, because this controller sleeps first.
		"--controllers=*,-namespace-controller",
		// The user system:kube-controller-manager alone may do almost nothing.
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + dir.file(accountsFile+".key"),
		"--root-ca-file=" + dir.file(caFile+".crt"),
		"--cluster-signing-cert-file=" + dir.file(caFile+".crt"),
		"--cluster-signing-key-file=" + dir.file(caFile+".key"),
		// The default is made if it is missing, outside of our directory.
		"--flex-volume-plugin-dir=" + dir.file("flex-volume-plugins"),
		// The fake node sends no heartbeats.
		"--node-monitor-grace-period=24h",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}
}

func schedulerFlags(dir *stateDir) []string {
	return []string{
		"--kubeconfig=" + dir.file(schedulerUserFile),
		"--secure-port=0",
		"--leader-elect=false",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}
}
