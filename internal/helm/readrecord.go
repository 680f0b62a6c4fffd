package helm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/strata-go/strata/internal/manifest"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ReadRecord reads the Secret of a record, or the ConfigMap that Helm can be told
// to use instead, whoever wrote it. A hook whose text
// cannot be read has an object of a kind and a name only. Errors are of type
// [*RecordError].
func ReadRecord(secret *unstructured.Unstructured) (*Record, error) {
	wrap := func(err error) error { return &RecordError{secret.GetName(), err} }
	text, err := decode(secret)
	if err != nil {
		return nil, wrap(err)
	}
	var rel release.Release
	if err := json.Unmarshal(text, &rel); err != nil {
		return nil, wrap(fmt.Errorf("reading JSON: %w", err))
	}
	if rel.Info == nil || rel.Chart == nil || rel.Chart.Metadata == nil {
		return nil, wrap(errors.New("lacks its info or its chart"))
	}
	r := &Record{
		Name:          rel.Name,
		Namespace:     rel.Namespace,
		Revision:      rel.Version,
		Status:        Status(rel.Info.Status),
		Chart:         &Chart{rel.Chart},
		Values:        rel.Config,
		Manifest:      rel.Manifest,
		Notes:         rel.Info.Notes,
		Description:   rel.Info.Description,
		FirstDeployed: rel.Info.FirstDeployed.Time,
		LastDeployed:  rel.Info.LastDeployed.Time,
	}
	for _, h := range rel.Hooks {
		if h != nil {
			r.Hooks = append(r.Hooks, readHook(h))
		}
	}
	return r, nil
}

func readHook(h *release.Hook) Hook {
	hook := Hook{Manifest: h.Manifest, Weight: h.Weight}
	objects, err := manifest.Parse(h.Path, []byte(h.Manifest))
	if err == nil && len(objects) == 1 {
		hook.Object = objects[0]
	} else {
		known := map[string]any{"kind": h.Kind, "metadata": map[string]any{"name": h.Name}}
		hook.Object = manifest.Object{Unstructured: &unstructured.Unstructured{Object: known}, Source: h.Path}
	}
	for _, e := range h.Events {
		hook.Events = append(hook.Events, Event(e))
	}
	for _, p := range h.DeletePolicies {
		hook.DeletePolicies = append(hook.DeletePolicies, DeletePolicy(p))
	}
	for _, p := range h.OutputLogPolicies {
		hook.LogPolicies = append(hook.LogPolicies, string(p))
	}
	return hook
}

// Description returns what a record says of what happened last, without what it
// says of parts that were left out because they were too large.
func Description(recorded string) string {
	text, _, _ := strings.Cut(recorded, leftOut)
	return text
}

// A StatusChange is what [SetStatus] writes.
type StatusChange struct {
	Status      Status
	Description string    // if empty, the old one stays
	Time        time.Time // of the writing
}

// SetStatus returns the Secret of a record with another status. What else the
// record holds stays, even what this package does not know of, such as the
// templates that Helm keeps. Errors are of type [*RecordError].
func SetStatus(secret *unstructured.Unstructured, change StatusChange) (*unstructured.Unstructured, error) {
	wrap := func(err error) error { return &RecordError{secret.GetName(), err} }
	text, err := decode(secret)
	if err != nil {
		return nil, wrap(err)
	}
	var content map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // so that numbers keep their digits
	if err := d.Decode(&content); err != nil {
		return nil, wrap(fmt.Errorf("reading JSON: %w", err))
	}
	info, ok := content["info"].(map[string]any)
	if !ok {
		return nil, wrap(errors.New("lacks its info"))
	}
	info["status"] = change.Status
	if change.Description != "" {
		old, _ := info["description"].(string)
		info["description"] = change.Description + strings.TrimPrefix(old, Description(old))
	}
	payload, err := encode(content)
	if err != nil {
		return nil, wrap(err)
	}
	changed := secret.DeepCopy()
	setPayload(changed, payload)
	labels := changed.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels["status"] = string(change.Status)
	labels["modifiedAt"] = strconv.FormatInt(change.Time.Unix(), 10)
	changed.SetLabels(labels)
	return changed, nil
}
