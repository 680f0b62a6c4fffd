package helmtests

import "strings"

func job(name, events, more string) string { return object("batch/v1", "Job", name, events, more) }

func configMap(name, events, more string) string {
	return object("v1", "ConfigMap", name, events, more)
}

// object returns a hook; more are annotations in a line each.
func object(version, kind, name, events, more string) string {
	text := "---\napiVersion: " + version + "\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n  annotations:\n    helm.sh/hook: \"" + events + "\"\n"
	for line := range strings.Lines(more) {
		text += "    " + strings.TrimSpace(line) + "\n"
	}
	switch kind {
	case "Job":
		text += "spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}\n"
	case "Pod":
		text += "spec: {restartPolicy: Never, containers: [{name: a, image: a}]}\n"
	}
	return text
}

func weight(w string) string { return "helm.sh/hook-weight: \"" + w + "\"\n" }

func policy(p string) string { return "helm.sh/hook-delete-policy: \"" + p + "\"\n" }

const all = "pre-install,post-install,pre-upgrade,post-upgrade,pre-rollback,post-rollback,pre-delete,post-delete"

func charts() map[string]testChart {
	return map[string]testChart{
		"same weight":        newChart("", "templates/a.yaml", job("b", all, "")+job("a", all, "")+job("c", all, "")),
		"weights":            newChart("", "templates/a.yaml", job("a", all, weight("10"))+job("b", all, weight("-10"))+job("c", all, weight("9"))+job("d", all, "")),
		"odd weights":        newChart("", "templates/a.yaml", job("a", all, weight("first"))+job("b", all, weight("-1"))+job("c", all, weight("1.5"))+job("d", all, weight(" 3"))+job("e", all, weight("+2"))),
		"same name":          newChart("", "templates/a.yaml", job("a", all, "")+configMap("a", all, "")+object("v1", "Secret", "a", all, "")+object("v1", "ServiceAccount", "a", all, "")),
		"kinds":              newChart("", "templates/a.yaml", job("z", all, "")+object("v1", "Pod", "z", all, "")+object("v1", "ServiceAccount", "z", all, "")+object("v1", "Secret", "x", all, "")),
		"files":              newChart("", "templates/z.yaml", job("same", "pre-install", ""), "templates/sub/a.yaml", configMap("same", "pre-install", ""), "templates/a.yaml", configMap("other", "pre-install", "")),
		"each its event":     newChart("", "templates/a.yaml", eachEvent(all)),
		"spaces and case":    newChart("", "templates/a.yaml", job("a", " Pre-Install , POST-upgrade,", "")+job("b", "pre-install, pre-upgrade", policy(" Hook-Succeeded , before-hook-creation"))),
		"unknown event":      newChart("", "templates/a.yaml", job("a", "pre-install,pre-lunch", "")+job("b", "crd-install", "")+job("c", "post-install", "")),
		"tests":              newChart("", "templates/a.yaml", job("a", "test", "")+job("b", "test-success", "")+job("c", "test-failure", "")+job("d", "test,post-install", "")),
		"tests that run":     newChart("", "templates/a.yaml", job("a", "test", weight("1"))+object("v1", "Pod", "b", "test", policy("hook-succeeded"))+job("c", "test,post-install", "")).tested(),
		"tests that fail":    newChart("bad", "templates/a.yaml", job("bad", "test", "")+job("c", "test", weight("1"))).tested(),
		"no policy":          newChart("", "templates/a.yaml", configMap("a", all, "")+job("b", all, "")),
		"before creation":    newChart("", "templates/a.yaml", configMap("a", all, policy("before-hook-creation"))+job("b", all, policy("before-hook-creation"))),
		"succeeded":          newChart("", "templates/a.yaml", configMap("a", all, policy("hook-succeeded"))+job("b", all, weight("-1")+policy("hook-succeeded"))+job("c", all, policy("hook-succeeded,hook-failed"))),
		"succeeded and more": newChart("", "templates/a.yaml", job("a", all, policy("hook-succeeded,before-hook-creation"))+job("b", all, policy("before-hook-creation"))),
		"definition":         newChart("", "templates/a.yaml", strings.Replace(definition, ",pre-upgrade", "", 1)+job("a", all, "")),
		"in the way":         newChart("", "templates/a.yaml", job("a", all, policy("hook-failed"))+configMap("b", all, policy("hook-succeeded"))),
		"fails":              newChart("bad", "templates/a.yaml", job("bad", all, "")+job("later", all, weight("1"))),
		"fails and goes":     newChart("bad", "templates/a.yaml", job("bad", "post-install", policy("hook-failed,before-hook-creation"))+job("a", "post-install", "")),
		"fails and stays":    newChart("bad", "templates/a.yaml", job("bad", "pre-upgrade", policy("hook-succeeded"))+job("a", "pre-upgrade", "")),
		"subchart": newChart("", "templates/a.yaml", job("m", all, ""),
			"Chart.yaml", "apiVersion: v2\nname: hooked\nversion: 1.0.0\ndependencies: [{name: sub, version: 1.0.0, repository: \"\"}]\n",
			"charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n", "charts/sub/templates/a.yaml", job("a", all, "")+configMap("m", all, "")+job("z", all, weight("-5"))),
	}
}

const definition = `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.com
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-weight: "-5", helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`

func eachEvent(events string) string {
	text := ""
	for event := range strings.SplitSeq(events, ",") {
		text += job(event, event, "") + configMap("both", event, policy("hook-succeeded"))
	}
	return text
}
