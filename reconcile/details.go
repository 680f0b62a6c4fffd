package reconcile

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Details returns all that s says, for people, layer by layer from the bottom of
// the stack: what [Status.String] has no room for, such as digests, releases,
// images, conditions, objects and drift.
func (s *Status) Details() string {
	d := new(details)
	d.heading(s.title())
	if !s.Installed {
		return d.b.String()
	}
	d.line("health", "%s; %s", s.Health, s.counts())
	for _, p := range s.Profiles {
		d.line("profile", "%s", p)
	}
	for _, n := range s.Updates {
		d.line("update", "of profile %s: %s -> %s", n.Source, n.Current, cmp.Or(n.Major, n.Minor, n.Patch))
	}
	for _, l := range s.Layers {
		d.layer(&l)
	}
	return d.b.String()
}

type details struct{ b strings.Builder }

func (d *details) heading(text string) {
	if d.b.Len() > 0 {
		d.b.WriteString("\n")
	}
	d.b.WriteString(text + "\n")
}

// line writes a line about something. What others wrote may not break it.
func (d *details) line(what, format string, args ...any) {
	fmt.Fprintf(&d.b, "  %-10s %s\n", what, oneLine(fmt.Sprintf(format, args...)))
}

func (d *details) layer(l *LayerStatus) {
	d.heading(strings.TrimSpace(fmt.Sprintf("%s %s", l.Name, l.Version)))
	kind := string(l.Kind)
	if l.InstallOrder != 0 {
		kind += fmt.Sprintf(", install order %d", l.InstallOrder)
	}
	d.line("kind", "%s", kind)
	d.line("health", "%s", joinNonEmpty(": ", string(l.Health), l.Message))
	d.line("profile", "%s", l.Profile)
	d.line("source", "%s", joinNonEmpty(" ", string(l.Format), l.Package, "from", l.Source))
	if l.Pin.Digest != "" {
		d.line("digest", "%s", l.Pin.Digest)
	}
	d.when("started", l.StartTime)
	d.when("ready", l.EndTime)
	if newest := l.newest(); newest != "" {
		d.line("update", "%s -> %s", l.Version, newest)
	}
	for _, c := range l.Charts {
		d.line("release", "%s/%s: %s", c.Namespace, c.Release, c.inWords())
	}
	for _, image := range l.Images {
		d.line("image", "%s", image)
	}
	for _, e := range l.Endpoints {
		d.line("endpoint", "%s (%s)", e, e.Object)
	}
	for _, c := range l.Conditions {
		d.line("condition", "%s", c)
	}
	for _, o := range l.Objects {
		d.line("object", "%s", joinNonEmpty(": ", fmt.Sprintf("%s %s", o.Health, o.ObjectRef), o.Message))
		for _, one := range o.Drift {
			d.line("drift", "%s", one)
		}
	}
}

func (d *details) when(what string, t time.Time) {
	if !t.IsZero() {
		d.line(what, "%s", t.UTC().Format(time.RFC3339))
	}
}

// inWords returns "chart web 1.2.3 (app 4.5), revision 6".
func (c ChartStatus) inWords() string {
	text := "chart " + joinNonEmpty(" ", c.Name, c.Version)
	if c.AppVersion != "" {
		text += " (app " + c.AppVersion + ")"
	}
	if c.Revision > 0 {
		text += fmt.Sprintf(", revision %d", c.Revision)
	}
	return text
}

// String returns "Ready False Failed since 2026-05-04T09:00:00Z: message".
func (c Condition) String() string {
	text := joinNonEmpty(" ", string(c.Type), string(c.Status), c.Reason)
	if !c.LastTransitionTime.IsZero() {
		text += " since " + c.LastTransitionTime.UTC().Format(time.RFC3339)
	}
	return joinNonEmpty(": ", text, c.Message)
}

func joinNonEmpty(sep string, parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, sep)
}
