package registrytests

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/go-jose/go-jose/v4"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"

	"github.com/strata-go/strata/registry"
)

const user, password = "me", "hunter2"

// A server is a running registry.
type server struct {
	host string
	ca   []byte // if it speaks TLS
	auth bool
}

func (s server) url() string { return "oci://" + s.host }

// client returns a client for s, with the right password if it needs one.
func (s server) client(t *testing.T) *registry.Client {
	c := &registry.Client{
		Registries: []registry.Registry{{Name: "it", URL: s.url()}},
		CacheDir:   t.TempDir(),
		Credential: func(_ context.Context, host string) (string, string, error) {
			if s.auth && host == s.host {
				return user, password, nil
			}
			return "", "", nil
		},
	}
	if s.ca == nil {
		c.PlainHTTP = []string{s.host}
	} else {
		c.TLS = map[string]registry.TLS{s.host: {CA: s.ca}}
	}
	return c
}

// servers starts all kinds of registries.
func servers(t *testing.T) map[string]server {
	found := map[string]server{
		"distribution":               startDistribution(t, nil, false),
		"distribution htpasswd":      startDistribution(t, htpasswd, false),
		"distribution htpasswd, TLS": startDistribution(t, htpasswd, true),
		"distribution token":         startDistribution(t, token, false),
		"distribution token, TLS":    startDistribution(t, token, true),
	}
	if s, ok := startDockerRegistry(t); ok {
		found["docker-registry 2.8"] = s
	}
	return found
}

// An authenticator configures a registry, and serves the tokens it wants.
type authenticator func(t *testing.T, base string, c *configuration.Configuration) (tokens http.Handler)

func startDistribution(t *testing.T, authenticate authenticator, withTLS bool) server {
	t.Helper()
	logrus.SetOutput(io.Discard)
	listening := httptest.NewUnstartedServer(nil)
	listening.Config.ErrorLog = log.New(io.Discard, "", 0)
	scheme := "http://"
	if withTLS {
		scheme = "https://"
	}
	s := server{host: listening.Listener.Addr().String(), auth: authenticate != nil}
	config := &configuration.Configuration{Storage: configuration.Storage{
		"inmemory":    configuration.Parameters{},
		"delete":      configuration.Parameters{"enabled": true},
		"maintenance": configuration.Parameters{"uploadpurging": map[any]any{"enabled": false}},
	}}
	config.HTTP.Secret = "x"
	config.Log.Level = "error"
	config.Catalog.MaxEntries = 1000
	var tokens http.Handler
	if authenticate != nil {
		tokens = authenticate(t, scheme+s.host, config)
	}
	listening.Config.Handler = route(tokens, handlers.NewApp(t.Context(), config))
	if withTLS {
		listening.StartTLS()
		s.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: listening.Certificate().Raw})
	} else {
		listening.Start()
	}
	t.Cleanup(listening.Close)
	return s
}

func route(tokens, app http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" && tokens != nil {
			tokens.ServeHTTP(w, r)
			return
		}
		app.ServeHTTP(w, r)
	})
}

func htpasswd(t *testing.T, _ string, c *configuration.Configuration) http.Handler {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(path, []byte(user+":"+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Auth = configuration.Auth{"htpasswd": configuration.Parameters{"realm": "r", "path": path}}
	return nil
}

// token makes the registry want JSON Web Tokens, and returns who signs them.
func token(t *testing.T, base string, c *configuration.Configuration) http.Handler {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tokens"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Auth = configuration.Auth{"token": configuration.Parameters{
		"realm": base + "/token", "service": "it", "issuer": "us", "rootcertbundle": bundle,
	}}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader("x5c", []string{base64.StdEncoding.EncodeToString(der)}))
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); !ok || u != user || p != password {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		text, err := sign(signer, r.URL.Query()["scope"])
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"token": text, "expires_in": 300})
	})
}

// sign makes a token for scopes such as "repository:a/b:pull,push".
func sign(signer jose.Signer, scopes []string) (string, error) {
	access := []map[string]any{}
	for scope := range strings.FieldsSeq(strings.Join(scopes, " ")) {
		if f := strings.SplitN(scope, ":", 3); len(f) == 3 {
			access = append(access, map[string]any{"type": f[0], "name": f[1], "actions": strings.Split(f[2], ",")})
		}
	}
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": "us", "sub": user, "aud": "it", "access": access, "jti": fmt.Sprint(now.UnixNano()),
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	})
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// startDockerRegistry starts an old registry, of Debian's package, if it is
// installed. It has neither pages nor referrers.
func startDockerRegistry(t *testing.T) (server, bool) {
	t.Helper()
	binary := os.Getenv("STRATA_DOCKER_REGISTRY")
	if binary == "" {
		var err error
		if binary, err = exec.LookPath("docker-registry"); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal("docker-registry is not installed: apt-get install docker-registry, or set STRATA_DOCKER_REGISTRY")
			}
			t.Log("docker-registry is not installed")
			return server{}, false
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	listener.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	text := "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: " + dir + "/data}}\nhttp: {addr: " + host + ", secret: x}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), binary, "serve", config)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Wait() }) // the context of the test ends it
	for range 100 {
		if conn, err := net.Dial("tcp", host); err == nil {
			conn.Close()
			return server{host: host}, true
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("docker-registry does not listen")
	return server{}, false
}
