package main

import (
	"encoding/json"
	"io"

	"github.com/strata-go/strata/pack/packlint"
)

// lines prints one JSON object a line. Programs read it: fields are only ever
// added.
type lines struct{ out io.Writer }

// A line is one pack.
type line struct {
	Pack      string     `json:"pack"` // the name of the folder
	Name      string     `json:"name"`
	Version   string     `json:"version"`
	Layer     string     `json:"layer"` // as pack.json has it
	OK        bool       `json:"ok"`
	Problems  []problem  `json:"problems"`
	Charts    []chart    `json:"charts"`
	Manifests []manifest `json:"manifests"`
}

type problem struct {
	Severity string `json:"severity"`
	Path     string `json:"path"`
	Line     int    `json:"line"` // 0 if it is not known
	Message  string `json:"message"`
}

type chart struct {
	Name      string   `json:"name"`
	Release   string   `json:"release"`
	Namespace string   `json:"namespace"`
	Objects   []string `json:"objects"` // "Kind/namespace/name"
	Hooks     int      `json:"hooks"`
	CRDs      int      `json:"crds"`
	Error     string   `json:"error"` // empty if there is none
}

type manifest struct {
	Path    string   `json:"path"`
	Objects []string `json:"objects"`
	Error   string   `json:"error"`
}

func (l lines) print(folder string, r *packlint.Report) error {
	encoder := json.NewEncoder(l.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(newLine(folder, r))
}

// newLine makes the lists that are empty lists and not null.
func newLine(folder string, r *packlint.Report) line {
	l := line{Pack: folder, OK: r.OK(), Problems: []problem{}, Charts: []chart{}, Manifests: []manifest{}}
	if r.Pack != nil {
		l.Name, l.Version, l.Layer = r.Pack.Name, r.Pack.Version, r.Pack.Layer
	}
	for _, p := range r.Problems {
		message := p.Message
		if p.Field != "" {
			message = p.Field + ": " + message
		}
		l.Problems = append(l.Problems, problem{string(p.Severity), p.File, p.Line, message})
	}
	for _, c := range r.Charts {
		l.Charts = append(l.Charts, chart{c.Name, c.Release, c.Namespace, list(c.Objects), c.Hooks, c.CRDs, text(c.Err)})
	}
	for _, m := range r.Manifests {
		l.Manifests = append(l.Manifests, manifest{m.File, list(m.Objects), text(m.Err)})
	}
	return l
}

func list(s []string) []string { return append([]string{}, s...) }

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
