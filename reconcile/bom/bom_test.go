package bom_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/opencontainers/go-digest"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/strata-go/strata/layer"
	"github.com/strata-go/strata/profile"
	"github.com/strata-go/strata/reconcile"
	"github.com/strata-go/strata/reconcile/bom"
)

var (
	packed   = digest.FromString("pack")
	charted  = digest.FromString("chart")
	written  = digest.FromString("manifests")
	imaged   = digest.FromString("image")
	profiled = digest.FromString("profile")
)

// installed is a pack, a chart of a classic repository, and manifests.
func installed() *reconcile.Status {
	id := profile.ID{Name: "apps", Version: "1.2.0"}
	pack := reconcile.LayerStatus{
		Name: "db", Kind: layer.AddOn, Profile: id, Format: layer.FormatPack, Package: "postgres", Version: "16.1.0", Source: "oci://registry.example.com/packs/postgres",
		Pin:    layer.Pin{Ref: layer.Ref{Format: layer.FormatPack, Name: "postgres"}, Resolved: "16.1.0", Digest: packed},
		Charts: []reconcile.ChartStatus{{Name: "postgresql", Version: "12.0.0", AppVersion: "16.1", Release: "db-postgresql", Namespace: "db", Revision: 2}},
		Images: []string{"postgres:16@" + imaged.String(), "quay.io/tools/exporter:v1"},
	}
	chart := reconcile.LayerStatus{
		Name: "web", Kind: layer.AddOn, Profile: id, Format: layer.FormatHelm, Package: "nginx", Version: "1.0.0+up1", Source: "https://charts.example.com",
		Pin:    layer.Pin{Ref: layer.Ref{Format: layer.FormatHelm, Name: "nginx"}, Resolved: "1.0.0+up1", Digest: charted},
		Charts: []reconcile.ChartStatus{{Name: "nginx", Version: "1.0.0+up1", Release: "web", Namespace: "web"}},
		Images: []string{"quay.io/tools/exporter:v1"},
	}
	plain := reconcile.LayerStatus{Name: "settings", Kind: layer.AddOn, Profile: id, Format: layer.FormatManifests, Source: id.String()}
	return &reconcile.Status{
		Target: reconcile.TargetID{Cluster: "prod", Installation: "default"}, Installed: true, KubernetesVersion: "v1.36.3", Profiles: []profile.ID{id}, Layers: []reconcile.LayerStatus{pack, chart, plain},
		Lock: &profile.Lock{
			Profiles: []profile.LockedProfile{{ID: id, Digest: profiled}},
			Layers:   []profile.LockedLayer{{Layer: "settings", Pin: layer.Pin{Digest: written}}},
		},
	}
}

// A layer that is a chart says which release it is, as a chart of a pack does.
func TestReleases(t *testing.T) {
	data, err := bom.Encode(installed(), bom.Details{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"web/web"`, `"db/db-postgresql"`} {
		if !strings.Contains(string(data), `"name": "strata:release",`) || !strings.Contains(string(data), want) {
			t.Errorf("the bill does not name the release %s:\n%s", want, data)
		}
	}
}

func TestBill(t *testing.T) {
	t.Parallel()
	data, err := bom.Encode(installed(), bom.Details{Time: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	var bill cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(data), cdx.BOMFileFormatJSON).Decode(&bill); err != nil {
		t.Fatal(err)
	}
	if bill.Metadata.Timestamp != "2026-05-04T03:02:01Z" || bill.Version != 1 || bill.Metadata.Component.Name != "prod" {
		t.Errorf("the bill is\n%s", data)
	}
	var got []string
	for _, c := range *bill.Components {
		hash := ""
		if c.Hashes != nil {
			hash = " " + (*c.Hashes)[0].Value[:4]
		}
		got = append(got, strings.TrimSpace(c.BOMRef+" "+c.Version+" "+c.PackageURL)+hash)
	}
	image := imaged.String()
	want := []string{
		"chart:db/db/db-postgresql 12.0.0 pkg:helm/postgresql@12.0.0",
		"image:postgres:16@" + image + " 16 pkg:oci/postgres@" + image + "?repository_url=docker.io/library/postgres&tag=16 " + imaged.Encoded()[:4],
		"image:quay.io/tools/exporter:v1 v1 pkg:oci/exporter?repository_url=quay.io/tools/exporter&tag=v1",
		"layer:db 16.1.0 pkg:oci/postgres@" + packed.String() + "?repository_url=registry.example.com/packs/postgres&tag=16.1.0 " + packed.Encoded()[:4],
		"layer:settings 1.2.0 " + written.Encoded()[:4],
		"layer:web 1.0.0+up1 pkg:helm/nginx@1.0.0%2Bup1?repository_url=https://charts.example.com " + charted.Encoded()[:4],
		"profile:apps@1.2.0 1.2.0 " + profiled.Encoded()[:4],
	}
	if !slices.Equal(got, want) {
		t.Errorf("the components are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	graph := map[string][]string{}
	for _, d := range *bill.Dependencies {
		if graph[d.Ref] = nil; d.Dependencies != nil {
			graph[d.Ref] = *d.Dependencies
		}
	}
	for ref, uses := range map[string]string{
		"installation:prod":  "profile:apps@1.2.0",
		"profile:apps@1.2.0": "layer:db layer:settings layer:web",
		"layer:db":           "chart:db/db/db-postgresql image:postgres:16@" + image + " image:quay.io/tools/exporter:v1",
		"layer:web":          "image:quay.io/tools/exporter:v1",
	} {
		if strings.Join(graph[ref], " ") != uses {
			t.Errorf("%s uses %v, want %s", ref, graph[ref], uses)
		}
	}
	if len(graph) != len(want)+1 {
		t.Errorf("there are %d entries of dependencies, want one for each of %d components and the installation", len(graph), len(want))
	}
}

// The same status gives the same bytes, and another one another serial number.
func TestBillIsDeterministic(t *testing.T) {
	t.Parallel()
	first, err := bom.Encode(installed(), bom.Details{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := bom.Encode(installed(), bom.Details{})
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("twice the same differs: %v\n%s\n%s", err, first, again)
	}
	later := bom.New(installed(), bom.Details{Time: time.Unix(1, 0)})
	changed := installed()
	changed.Layers[0].Images = nil
	if a, b := bom.New(installed(), bom.Details{}).SerialNumber, bom.New(changed, bom.Details{}).SerialNumber; a == b || a != later.SerialNumber {
		t.Errorf("the serial numbers are %s, of other content %s, later %s", a, b, later.SerialNumber)
	}
	given := bom.Details{SerialNumber: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", Version: 4}
	if b := bom.New(installed(), given); b.SerialNumber != given.SerialNumber || b.Version != 4 {
		t.Errorf("serial number and version are %s and %d", b.SerialNumber, b.Version)
	}
}

// The schemas of the format accept the bill, and that of an empty cluster.
func TestBillMeetsSchema(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "schema")
	for _, version := range []cdx.SpecVersion{cdx.SpecVersion1_5, cdx.SpecVersion1_6, cdx.SpecVersion1_7} {
		compiler := jsonschema.NewCompiler()
		compiler.UseLoader(folder(dir))
		schema, err := compiler.Compile(fmt.Sprintf("http://cyclonedx.org/schema/bom-%s.schema.json", version))
		if err != nil {
			t.Fatal(err)
		}
		for _, status := range []*reconcile.Status{installed(), {Target: reconcile.TargetID{Cluster: "none"}}} {
			var data bytes.Buffer
			if err := cdx.NewBOMEncoder(&data, cdx.BOMFileFormatJSON).EncodeVersion(bom.New(status, bom.Details{Time: time.Unix(1, 0)}), version); err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(&data)
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("version %s, %s: %v", version, status.Target, err)
			}
		}
	}
}

// folder loads schemas from a folder. Those that are not there, which are about
// what our bills do not hold, allow everything.
type folder string

func (f folder) Load(url string) (any, error) {
	data, err := os.Open(filepath.Join(string(f), path.Base(url)))
	if os.IsNotExist(err) {
		var all any
		err := json.Unmarshal([]byte(`{"definitions": {"signature": {}, "algorithmFamiliesEnum": {}, "ellipticCurvesEnum": {}}}`), &all)
		return all, err
	}
	if err != nil {
		return nil, err
	}
	defer data.Close()
	return jsonschema.UnmarshalJSON(io.Reader(data))
}
