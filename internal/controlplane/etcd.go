package main

import (
	"context"
	"fmt"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
)

// maxSocketPath is what macOS allows, the least of all systems.
const maxSocketPath = 103

// startEtcd starts the store and returns its address, a socket in the state
// directory: no port can be taken, and no other user can connect.
func startEtcd(ctx context.Context, dir *stateDir, failed failureChan) (string, error) {
	client := url.URL{Scheme: "unix", Path: dir.file("etcd.sock")}
	peer := url.URL{Scheme: "unix", Path: dir.file("etcd-peer.sock")}
	if len(peer.Path) > maxSocketPath {
		return "", fmt.Errorf("starting etcd: %s is too long for a socket: set TMPDIR to a shorter path", peer.Path)
	}

	cfg := embed.NewConfig()
	cfg.Dir = dir.file("etcd")
	cfg.ListenClientUrls, cfg.ListenPeerUrls = []url.URL{client}, []url.URL{peer}
	// Nobody looks these up, but they have to have a host and a port.
	advertised := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	cfg.AdvertiseClientUrls, cfg.AdvertisePeerUrls = advertised, advertised
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.LogLevel = "warn"
	cfg.LogOutputs = []string{dir.file(etcdLog)}
	cfg.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration // zero warns of every request
	// The data is not meant to survive the process.
	cfg.UnsafeNoFsync = true
	// The only member waits for the whole election time-out before it leads.
	cfg.TickMs, cfg.ElectionMs = 20, 200

	server, err := embed.StartEtcd(cfg)
	if err != nil {
		return "", fmt.Errorf("starting etcd: %w", err)
	}
	go failed.run("etcd", func() error { return <-server.Err() })
	select {
	case <-server.Server.ReadyNotify():
		return client.String(), nil
	case <-ctx.Done():
		return "", fmt.Errorf("waiting for etcd: %w", ctx.Err())
	}
}
