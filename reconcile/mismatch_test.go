package reconcile

import (
	"errors"
	"fmt"
	"testing"

	"github.com/strata-go/strata/layer"
)

func TestMismatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, version, image string
		same                 bool
	}{
		{"ubuntu", "22.04", "Ubuntu 22.04.4 LTS", true},
		{"edge-ubuntu", "22.4", "Ubuntu 22.04.4 LTS", true},
		{"ubuntu-aws", "22.04", "Ubuntu 24.04 LTS", false},
		{"ubuntu", "LTS__22.4.1", "Ubuntu 22.04.4 LTS", true},
		{"ubuntu", "22", "Ubuntu 22.04.4 LTS", true},
		{"ubuntu", "22.04", "Red Hat Enterprise Linux 9.4 (Plow)", false},
		{"rhel", "9.x", "Red Hat Enterprise Linux 9.4 (Plow)", true},
		{"rhel", "8.8", "Red Hat Enterprise Linux 9.4 (Plow)", false},
		{"edge-native-byoi", "2.1.0", "Ubuntu 22.04.4 LTS", true},
		{"ubuntu", "22.04", "Something of our own", true},
		{"ubuntu", "22.04", "Ubuntu rolling", true},
		{"ubuntu", "22.04", "", true},
		{"sles", "15.4", "SUSE Linux Enterprise Server 15 SP4", true},
	} {
		pin := layer.Pin{Ref: layer.Ref{Name: tt.name}, Resolved: tt.version}
		if got := osMismatch("os", pin, map[string]string{"a": tt.image}); (len(got) == 0) != tt.same {
			t.Errorf("%s %s and %q: %v", tt.name, tt.version, tt.image, got)
		}
	}
	for _, tt := range []struct {
		want, have string
		same       bool
	}{
		{"1.36.3", "v1.36.3", true}, {"1.36.3", "v1.36.3+k3s1", true}, {"1.36", "v1.36.3", true}, {"v1.36.3-rev2", "v1.36.3", true},
		{"1.36.3", "v1.36.4", false}, {"1.36.3", "v1.35.3", false}, {"1.36", "v1.35.1", false}, {"latest", "v1.35.1", true}, {"1.36", "", true},
	} {
		pin := layer.Pin{Ref: layer.Ref{Name: "kubernetes"}, Resolved: tt.want}
		if got := kubernetesMismatch("k8s", pin, tt.have); (len(got) == 0) != tt.same {
			t.Errorf("Kubernetes %s and %s: %v", tt.want, tt.have, got)
		}
	}
}

func TestMismatchError(t *testing.T) {
	t.Parallel()
	images := map[string]string{}
	for i := range 5 {
		images[fmt.Sprint("n", i)] = "Debian 12"
	}
	images["other"] = "Ubuntu 20.04"
	err := &MismatchError{osMismatch("os", layer.Pin{Ref: layer.Ref{Name: "ubuntu"}, Resolved: "22.04"}, images)}
	want := `layer "os" wants ubuntu 22.04, and nodes "n0", "n1", "n2" and 2 more have Debian 12; change the version of the layer, or the cluster
layer "os" wants ubuntu 22.04, and nodes "other" have Ubuntu 20.04; change the version of the layer, or the cluster`
	if err.Error() != want || !errors.Is(err, ErrTerminal) {
		t.Errorf("error =\n%v\nwant\n%s", err, want)
	}
}
