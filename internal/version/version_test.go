package version_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"

	"github.com/strata-go/strata/internal/version"
)

// The order of versions, oldest first.
var ordered = []string{
	"0.0.1",
	"0.30.0-5.5.2026",
	"0.30.0",
	"1.2",
	"1.2.0", // the same numbers, so by their text
	"v1.2.0",
	"1.2.3-1",
	"1.2.3-9",
	"1.2.3-10",
	"1.2.3-alpha",
	"1.2.3-alpha.1",
	"1.2.3",
	"1.2.3+3",
	"1.2.3+10",
	"1.2.3+k3s1",
	"1.2.3-rev2",
	"1.2.3-rev10",
	"1.2.4-rc.1",
	"1.5",
	"1.10.0",
	"v1.12.0",
	"1.26.2",
	"1.26.2-rev1",
	"1.26.2-rev2",
	"1.26.2-rev2+a",
	"1.26.3-alpha",
	"2.1.0",
	"2.1.0-up.2",
	"2.1.0-up.10",
	"20.09.0",
	"v24.3.9",
	"24.04",
	"24.4.0",
	"24.04.1",
	"24.10",
	"26.02.0",
	"26.02.1",
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for i, a := range ordered {
		for j, b := range ordered {
			va, errA := version.Parse(a)
			vb, errB := version.Parse(b)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			got, want := version.Compare(va, vb), i-j
			if (got < 0) != (want < 0) || (got > 0) != (want > 0) {
				t.Errorf("Compare(%s, %s) = %d, want the sign of %d", a, b, got, want)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "v", "1", "1.x", "1.2.x", "x", "latest", "jammy", "1.2.3.4", "1..2", "1.2.", "1.2.3-", "1.2.3+", "-1.2",
		"+1.2", "1.2.3-a..b", "1.2.3-01", "1.2.3 ", "V1.2.3", "99999999999999999999.1", "LTS__22.4.1", "1.2.3_1",
		"1." + strings.Repeat("1", 200),
	} {
		if v, err := version.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %s, want an error", text, v)
		}
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	const tags = "latest 1.x 1.27.x jammy 1 1.26.9 1.27.3 v1.27.10 1.27.10-rc.1 1.28.0_k3s1 1.28.0_k3s2 2.0.0-rc.1 2.1.0-up.2 " +
		"22.04 22.04.3 24.04 24.04.1 26.02.1 LTS__22.4.x LTS__22.04.1 LTS__22.04.2 LTS__22.10.1 EOL__1.2.x EOL__x"
	tests := []struct{ constraint, want string }{
		{"", "26.02.1 24.04.1 24.04 22.04.3 22.04 2.1.0-up.2 1.28.0_k3s2 1.28.0_k3s1 v1.27.10 1.27.3 1.26.9"},
		{"<2", "1.28.0_k3s2 1.28.0_k3s1 v1.27.10 1.27.3 1.26.9"},
		{"1.x", "1.28.0_k3s2 1.28.0_k3s1 v1.27.10 1.27.3 1.26.9"},
		{"1.27.x", "v1.27.10 1.27.3"},
		{"1.27", "v1.27.10 1.27.3"},
		{"~1.27.4", "v1.27.10"},
		{"^1.27.0, <1.28", "v1.27.10 1.27.3"},
		{"1.26 - 1.27", "v1.27.10 1.27.3 1.26.9"},
		{">=1.27.3 <1.28 || 26.x", "26.02.1 v1.27.10 1.27.3"},
		// Exact versions.
		{"1.27.3", "1.27.3"},
		{"1.27.10", "v1.27.10"},
		{"v1.27.3", "1.27.3"},
		{"1.27.4", ""},
		{"1.28.0+k3s1", "1.28.0_k3s1"},
		{"1.28.0_k3s1", "1.28.0_k3s1"},
		{"1.28.0+k3s9", ""},
		{"1.28.0", "1.28.0_k3s2 1.28.0_k3s1"},
		// Not quite semver.
		{"24.04", "24.04"},
		{"24.x", "24.04.1 24.04"},
		{"24.04.x", "24.04.1 24.04"},
		{"24.4", "24.04.1 24.04"},
		{"~22.04", "22.04.3 22.04"},
		{">=24.04", "26.02.1 24.04.1 24.04"},
		{">22.04 <=024.04", "24.04.1 24.04"},
		{"26.02.01", "26.02.1"},
		{"jammy", "jammy"},
		{"1", "1"},
		// Groups.
		{"LTS__22.4.x", "LTS__22.04.2 LTS__22.04.1"},
		{"LTS__22.x", "LTS__22.10.1 LTS__22.04.2 LTS__22.04.1"},
		{"LTS__22.04.1", "LTS__22.04.1"},
		{"LTS__22.4.1", "LTS__22.04.1"},
		{"LTS__>=22.10", "LTS__22.10.1"},
		{"LTS__23.x", ""},
		{"EOL__1.2.x", "EOL__1.2.x"}, // nothing but the train
		{"EOL__1.x", ""},
		{"22.4.x", "22.04.3 22.04"},
		// Revisions.
		{"2.x", "2.1.0-up.2"},
		{"2.1.0", "2.1.0-up.2"},
		{"2.1.0-up.2", "2.1.0-up.2"},
		{"2.1.0-up.3", ""},
		{">=2.1.0-up.1 <3", "2.1.0-up.2"},
		{"<2.1.0-up.1 >1.99", ""},
		// Pre-releases only when named.
		{"2.0.x", ""},
		{"2.0.0-rc.1", "2.0.0-rc.1"},
		{">=2.0.0-0 <3", "2.1.0-up.2 2.0.0-rc.1"},
	}
	for _, test := range tests {
		t.Run(test.constraint, func(t *testing.T) {
			t.Parallel()
			got, err := version.Select(test.constraint, strings.Fields(tags))
			if want := strings.Fields(test.want); err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v; want %v", got, err, want)
			}
		})
	}
}

func TestSelectRefuses(t *testing.T) {
	t.Parallel()
	for _, constraint := range []string{"focal", ">>1", "1.2.3.4", "LTS__focal", strings.Repeat("1||", 400)} {
		if got, err := version.Select(constraint, []string{"1.0.0", "LTS__22.4.x"}); err == nil {
			t.Errorf("Select(%.20q) = %v, want an error", constraint, got)
		}
	}
}

// Not parallel: it changes the package variable that other code may change.
func TestSemverGlobalsDoNotMatter(t *testing.T) {
	defer func(old bool) { semver.CoerceNewVersion = old }(semver.CoerceNewVersion)
	semver.CoerceNewVersion = false
	got, err := version.Select(">=24.04 <26.02.01", []string{"24.04.1", "26.02.1", "22.04"})
	if err != nil || !slices.Equal(got, []string{"24.04.1"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestLeads(t *testing.T) {
	t.Parallel()
	const tags = "latest 1.x 1.26.9 1.27.3 1.27.10-rc.1 2.0.0-rc.1 22.04 22.04.3 22.10 3.0.0_a 3.0.0_b v4.1.0 LTS__22.11.1"
	tests := []struct{ tag, want string }{
		{"1.26.9", "1.26.x"},
		{"1.26.8", ""},
		{"1.27.3", "1.x 1.27.x"},
		{"1.27.10-rc.1", ""},
		{"1.28.0", "1.x 1.28.x"},
		{"2.0.0-rc.1", ""},
		{"2.0.0", "2.x 2.0.x"},
		{"22.04.3", "22.4.x"}, // without the zero
		{"22.04", ""},
		{"22.10", "22.x 22.10.x"},
		{"3.0.0_a", ""},
		{"3.0.0_b", "3.x 3.0.x"},
		{"v4.1.0", "4.x 4.1.x"},
		{"latest", ""},
		{"1.x", ""},
	}
	for _, test := range tests {
		if got := version.Leads(test.tag, strings.Fields(tags)); !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("Leads(%s) = %v, want %s", test.tag, got, test.want)
		}
	}
}

func TestNewestPatch(t *testing.T) {
	t.Parallel()
	for tags, want := range map[string]string{
		"1.28.1 1.27.3 1.27.1":                   "1.27.3",
		"1.28.1":                                 "1.28.1",
		"2.0.4 2.0.0 1.0":                        "1.0",
		"LTS__22.10.1 LTS__22.04.2 LTS__22.04.1": "LTS__22.04.2",
		"jammy":                                  "jammy",
	} {
		if got := version.NewestPatch(strings.Fields(tags)); got != want {
			t.Errorf("NewestPatch(%s) = %s, want %s", tags, got, want)
		}
	}
}

// The order is total: sorting any three versions gives one result.
func FuzzCompare(f *testing.F) {
	for i := range ordered {
		f.Add(ordered[i], ordered[(i+7)%len(ordered)], ordered[(i+13)%len(ordered)])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		va, errA := version.Parse(a)
		vb, errB := version.Parse(b)
		vc, errC := version.Parse(c)
		if errA != nil || errB != nil || errC != nil {
			return
		}
		if ab, ba := version.Compare(va, vb), version.Compare(vb, va); ab > 0 != (ba < 0) || (ab == 0) != (a == b) {
			t.Errorf("Compare(%q, %q) = %d, the other way round %d", a, b, ab, ba)
		}
		if version.Compare(va, vb) < 0 && version.Compare(vb, vc) < 0 && version.Compare(va, vc) >= 0 {
			t.Errorf("%q < %q < %q, but not the first < the last", a, b, c)
		}
		for _, train := range version.Leads(a, []string{b, c}) {
			if got, err := version.Select(train, []string{a}); err != nil || len(got) != 1 {
				t.Errorf("%q leads %s, which selects %q, %v", a, train, got, err)
			}
		}
	})
}

func FuzzSelect(f *testing.F) {
	for _, v := range ordered {
		f.Add(">="+v+" <2 || "+v, v)
	}
	f.Add("1.2 - 01.04", "1.3")
	f.Fuzz(func(t *testing.T, constraint, tag string) {
		got, err := version.Select(constraint, []string{tag, "1.0.0"})
		if err == nil && tag == constraint && tag != "x" && !strings.HasSuffix(tag, ".x") && !slices.Equal(got, []string{tag}) {
			t.Errorf("Select(%q) = %q, want the tag of that name", constraint, got)
		}
		if v, err := version.Parse(tag); err == nil && version.Compare(v, v) != 0 {
			t.Errorf("%q is not equal to itself", tag)
		}
	})
}
