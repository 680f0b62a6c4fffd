package reconciletest

import "strings"

const (
	inSpace    = "/api/v1/namespaces/conf"
	configMaps = inSpace + "/configmaps"
	templates  = inSpace + "/podtemplates"
	gadgets    = "/apis/conf.example.com/v1/namespaces/conf/gadgets"
	defs       = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.conf.example.com}
spec:
  group: conf.example.com
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, maximum: 10}
              replicas: {type: integer}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items: {type: object, required: [name], properties: {name: {type: string}, note: {type: string}}}
              tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status: {type: object, properties: {phase: {type: string}, replicas: {type: integer}}}`
)

func by(manager string) string { return "?fieldManager=" + manager }

func configMapNamed(name, rest string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n" + rest
}

func gadget(name, rest string) string {
	return "apiVersion: conf.example.com/v1\nkind: Gadget\nmetadata: {name: " + name + "}\n" + rest
}

func podTemplateNamed(containers string) string {
	return "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: t}\ntemplate: {spec: {containers: " + containers + "}}\n"
}

var conformance = []step{
	{name: "no namespace", verb: "APPLY", path: configMaps + "/a" + by("one"), body: configMapNamed("a", "data: {a: x}")},
	{name: "namespace", verb: "POST", path: "/api/v1/namespaces", body: "{apiVersion: v1, kind: Namespace, metadata: {name: conf}}"},
	{name: "namespace again", verb: "POST", path: "/api/v1/namespaces", body: "{apiVersion: v1, kind: Namespace, metadata: {name: conf}}"},
	{name: "until its account", verb: "GET", path: inSpace + "/serviceaccounts/default"},
	{name: "until its authority", verb: "GET", path: configMaps + "/kube-root-ca.crt", unlike: true},

	{name: "apply without manager", verb: "APPLY", path: configMaps + "/a", body: configMapNamed("a", "data: {a: x}")},
	{name: "dry apply", verb: "APPLY", path: configMaps + "/a" + by("one") + "&dryRun=All", body: configMapNamed("a", "data: {a: x}")},
	{name: "dry run keeps nothing", verb: "GET", path: configMaps + "/a"},
	{name: "apply", verb: "APPLY", path: configMaps + "/a" + by("one"), body: configMapNamed("a", "data: {a: x, b: bb}")},
	{name: "apply the same", verb: "APPLY", path: configMaps + "/a" + by("one"), body: configMapNamed("a", "data: {a: x, b: bb}")},
	{name: "apply fewer", verb: "APPLY", path: configMaps + "/a" + by("one"), body: configMapNamed("a", "data: {a: x}")},
	{name: "conflict", verb: "APPLY", path: configMaps + "/a" + by("two"), body: configMapNamed("a", "data: {a: z, c: c}")},
	{name: "shared", verb: "APPLY", path: configMaps + "/a" + by("two"), body: configMapNamed("a", "data: {a: x, c: c}")},
	{name: "force", verb: "APPLY", path: configMaps + "/a" + by("two") + "&force=true", body: configMapNamed("a", "data: {a: z}")},
	{name: "wrong dry run", verb: "APPLY", path: configMaps + "/a" + by("two") + "&dryRun=Some", body: configMapNamed("a", "data: {a: z}"), unlike: true},
	{name: "merge patch", verb: "MERGE", path: configMaps + "/a" + by("editor"), body: "{data: {a: edited, d: d}, metadata: {labels: {l: '1'}}}"},
	{name: "conflict with an editor", verb: "APPLY", path: configMaps + "/a" + by("two"), body: configMapNamed("a", "data: {a: z}")},
	{name: "json patch", verb: "JSON", path: configMaps + "/a", body: "[{op: remove, path: /data/a}]"},
	{name: "json patch of nothing", verb: "JSON", path: configMaps + "/a", body: "[{op: remove, path: /data/nothing}]", unlike: true},
	{name: "json patch test", verb: "JSON", path: configMaps + "/a", body: "[{op: test, path: /data/d, value: e}]", unlike: true},
	{name: "strategic patch", verb: "STRATEGIC", path: configMaps + "/a" + by("editor"), body: "{data: {d: null, e: e}}"},
	{name: "merge patch that changes nothing", verb: "MERGE", path: configMaps + "/a" + by("editor"), body: "{data: {e: e}}"},
	{name: "merge patch of an old version", verb: "MERGE", path: configMaps + "/a", body: "{metadata: {resourceVersion: '$old'}, data: {f: f}}"},
	{name: "metadata of it", verb: "GET", path: configMaps + "/a"},
	{name: "put", verb: "PUT", path: configMaps + "/a" + by("putter"), body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, resourceVersion: '$rv'}, data: {p: p}}"},
	{name: "put of an old version", verb: "PUT", path: configMaps + "/a" + by("putter"), body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, resourceVersion: '$old'}, data: {p: q}}"},
	{name: "put of another uid", verb: "PUT", path: configMaps + "/a", body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: other}, data: {p: q}}", unlike: true},
	{name: "put of another name", verb: "PUT", path: configMaps + "/a", body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {p: q}}"},
	{name: "put of nothing", verb: "PUT", path: configMaps + "/b", body: configMapNamed("b", "")},
	{name: "merge patch of nothing", verb: "MERGE", path: configMaps + "/b", body: "{}"},
	{name: "apply of an old version", verb: "APPLY", path: configMaps + "/a" + by("one"), body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, resourceVersion: '1'}, data: {one: one}}"},
	{name: "apply of another kind", verb: "APPLY", path: configMaps + "/a" + by("one"), body: "{apiVersion: v1, kind: Secret, metadata: {name: a}}", unlike: true},
	{name: "apply of another name", verb: "APPLY", path: configMaps + "/a" + by("one"), body: configMapNamed("b", ""), unlike: true},
	{name: "apply with managed fields", verb: "APPLY", path: configMaps + "/a" + by("one"), body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, managedFields: [{manager: x}]}}"},
	{name: "apply to new uid", verb: "APPLY", path: configMaps + "/new" + by("one"), body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: new, uid: abc}}"},
	{name: "invalid name", verb: "APPLY", path: configMaps + "/A_" + by("one"), body: configMapNamed("A_", "")},
	{name: "invalid label", verb: "MERGE", path: configMaps + "/a", body: "{metadata: {labels: {l: 'not good'}}}", unlike: true},
	{name: "unknown type of patch", verb: "PATCH", path: configMaps + "/a", body: "{}", unlike: true},
	{name: "not acceptable", verb: "GET", path: configMaps + "/a", unlike: true},
	{name: "unknown resource", verb: "GET", path: inSpace + "/nothings", unlike: true},
	{name: "unknown group", verb: "GET", path: "/apis/none.example.com/v1/things"},
	{name: "generated name without content", verb: "POST", path: configMaps, body: "{apiVersion: v1, kind: ConfigMap, metadata: {}}"},
	{name: "version on creation", verb: "POST", path: configMaps, body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: v, resourceVersion: '1'}}", unlike: true},
	{name: "unknown field, strictly", verb: "POST", path: configMaps + "?fieldValidation=Strict", body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: v}, foo: 1}"},
	{name: "unknown field", verb: "POST", path: configMaps, body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: v}, foo: 1, data: {a: b}}"},
	{name: "wrong type", verb: "POST", path: configMaps, body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: w}, data: [1]}", unlike: true},
	{name: "apply unknown field", verb: "APPLY", path: configMaps + "/a" + by("one"), body: configMapNamed("a", "foo: 1")},
	{name: "uid precondition", verb: "DELETE", path: configMaps + "/a", body: "{preconditions: {uid: other}}"},
	{name: "version precondition", verb: "DELETE", path: configMaps + "/a", body: "{preconditions: {resourceVersion: '1'}}"},
	{name: "dry delete", verb: "DELETE", path: configMaps + "/a?dryRun=All"},
	{name: "finalizer", verb: "MERGE", path: configMaps + "/a", body: "{metadata: {finalizers: [conf.example.com/keep]}}"},
	{name: "delete what is kept", verb: "DELETE", path: configMaps + "/a"},
	{name: "delete again", verb: "DELETE", path: configMaps + "/a"},
	{name: "another finalizer", verb: "MERGE", path: configMaps + "/a", body: "{metadata: {finalizers: [conf.example.com/keep, conf.example.com/more]}}"},
	{name: "patch of what goes", verb: "MERGE", path: configMaps + "/a", body: "{data: {still: here}}"},
	{name: "let go", verb: "MERGE", path: configMaps + "/a", body: "{metadata: {finalizers: null}}"},
	{name: "gone", verb: "GET", path: configMaps + "/a"},
	{name: "delete of nothing", verb: "DELETE", path: configMaps + "/a"},

	{name: "merge keys", verb: "APPLY", path: templates + "/t" + by("one"), body: podTemplateNamed("[{name: a, image: a:1, ports: [{containerPort: 80}]}, {name: b, image: b:1}]")},
	{name: "another list item", verb: "APPLY", path: templates + "/t" + by("two"), body: podTemplateNamed("[{name: c, image: c:1, env: [{name: E, value: e}]}]")},
	{name: "conflict in a list", verb: "APPLY", path: templates + "/t" + by("two"), body: podTemplateNamed("[{name: a, image: a:2}]")},
	{name: "remove a list item", verb: "APPLY", path: templates + "/t" + by("one"), body: podTemplateNamed("[{name: a, image: a:1}]")},
	{name: "strategic patch of a list", verb: "STRATEGIC", path: templates + "/t" + by("editor"), body: "{template: {spec: {containers: [{name: a, image: a:9}, {name: c, $patch: delete}]}}}"},
	{name: "twice in a list", verb: "APPLY", path: templates + "/t" + by("one"), body: podTemplateNamed("[{name: a, image: a:1}, {name: a, image: a:2}]"), unlike: true},
	{name: "quantities", verb: "APPLY", path: templates + "/t" + by("three"), body: podTemplateNamed("[{name: a, resources: {limits: {cpu: '0.5', memory: 1024Mi}}}]")},
	{name: "the same quantities", verb: "APPLY", path: templates + "/t" + by("three"), body: podTemplateNamed("[{name: a, resources: {limits: {cpu: 500m, memory: 1Gi}}}]")},
	{name: "unknown field in depth", verb: "APPLY", path: templates + "/t" + by("one"), body: podTemplateNamed("[{name: a, imag: a:1}]")},
	{name: "service", verb: "APPLY", path: inSpace + "/services/s" + by("one"), body: "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{name: a, port: 80}, {name: b, port: 80, protocol: UDP}]}}"},
	{name: "service of another", verb: "APPLY", path: inSpace + "/services/s" + by("two"), body: "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80, name: z}]}}"},
	{name: "secret", verb: "POST", path: inSpace + "/secrets" + by("one"), body: "{apiVersion: v1, kind: Secret, metadata: {name: s, annotations: {a: b}}, type: conf.example.com/x, data: {a: eA==}}"},
	{name: "role", verb: "APPLY", path: "/apis/rbac.authorization.k8s.io/v1/clusterroles/conf:role" + by("one"), body: "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: 'conf:role'}, rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}"},
	{name: "policy", verb: "APPLY", path: "/apis/networking.k8s.io/v1/namespaces/conf/networkpolicies/p" + by("one"), body: "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, policyTypes: [Ingress]}}"},
	{name: "policy changes", verb: "MERGE", path: "/apis/networking.k8s.io/v1/namespaces/conf/networkpolicies/p" + by("two"), body: "{spec: {policyTypes: [Ingress, Egress]}}"},

	{name: "definition", verb: "APPLY", path: defs + "/gadgets.conf.example.com" + by("one"), body: definition, unlike: true},
	{name: "until gadgets", verb: "GET", path: gadgets},
	{name: "definition again", verb: "APPLY", path: defs + "/gadgets.conf.example.com" + by("one"), body: definition, unlike: true},
	{name: "gadget", verb: "APPLY", path: gadgets + "/g" + by("one"), body: gadget("g", "spec: {size: 1, parts: [{name: a, note: x}], tags: [t], free: {any: [1, two]}}\nstatus: {phase: none}")},
	{name: "gadget of another", verb: "APPLY", path: gadgets + "/g" + by("two"), body: gadget("g", "spec: {size: 1, parts: [{name: b}], tags: [u]}")},
	{name: "gadget conflict", verb: "APPLY", path: gadgets + "/g" + by("two"), body: gadget("g", "spec: {size: 2, parts: [{name: a, note: yy}]}")},
	{name: "gadget status", verb: "MERGE", path: gadgets + "/g/status" + by("operator"), body: "{status: {phase: Ready, replicas: 2}, spec: {size: 9}}"},
	{name: "gadget status applied", verb: "APPLY", path: gadgets + "/g/status" + by("applier"), body: gadget("g", "status: {phase: Ready}")},
	{name: "gadget without a version", verb: "PUT", path: gadgets + "/g", body: gadget("g", "spec: {size: 1}")},
	{name: "gadget without scale", verb: "GET", path: gadgets + "/g/scale"},
	{name: "gadget put", verb: "PUT", path: gadgets + "/g", body: strings.Replace(gadget("g", "spec: {size: 1, replicas: 1}"), "{name: g}", "{name: g, resourceVersion: '$rv'}", 1)},
	{name: "gadget scale", verb: "GET", path: gadgets + "/g/scale"},
	{name: "gadget scaled", verb: "MERGE", path: gadgets + "/g/scale" + by("scaler"), body: "{spec: {replicas: 3}}"},
	{name: "gadget after scale", verb: "GET", path: gadgets + "/g"},
	{name: "gadget conflict with the scaler", verb: "APPLY", path: gadgets + "/g" + by("one"), body: gadget("g", "spec: {size: 1, replicas: 2}")},
	{name: "gadget too large", verb: "APPLY", path: gadgets + "/l" + by("one"), body: gadget("l", "spec: {size: 11}")},
	{name: "gadget without size", verb: "APPLY", path: gadgets + "/l" + by("one"), body: gadget("l", "spec: {}")},
	{name: "gadget of another type", verb: "POST", path: gadgets, body: gadget("l", "spec: {size: a}")},
	{name: "gadget unknown field applied", verb: "APPLY", path: gadgets + "/l" + by("one"), body: gadget("l", "spec: {size: 1, more: x}")},
	{name: "gadget unknown field", verb: "POST", path: gadgets, body: gadget("u", "spec: {size: 1, more: x}")},
	{name: "gadget strategic patch", verb: "STRATEGIC", path: gadgets + "/g", body: "{}", unlike: true},

	{name: "one", verb: "POST", path: configMaps, body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: l1, labels: {list: a}}}"},
	{name: "watched from", verb: "GET", path: configMaps + "/l1"},
	{name: "two", verb: "POST", path: configMaps, body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: l2, labels: {list: a, other: 'yes'}}}"},
	{name: "three", verb: "POST", path: configMaps, body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: l3, labels: {list: b}}}"},
	{name: "list", verb: "GET", path: configMaps + "?labelSelector=list"},
	{name: "list of metadata", verb: "GET", path: configMaps + "?labelSelector=list=a"},
	{name: "list by set", verb: "GET", path: configMaps + "?labelSelector=list+in+(a,b),!other"},
	{name: "list by name", verb: "GET", path: configMaps + "?fieldSelector=metadata.name=l2"},
	{name: "list in all namespaces", verb: "GET", path: "/api/v1/configmaps?labelSelector=list"},
	{name: "list of custom resources", verb: "GET", path: gadgets},
	{name: "list by a wrong selector", verb: "GET", path: configMaps + "?labelSelector=a==b==c", unlike: true},
	{name: "list by an unknown field", verb: "GET", path: configMaps + "?fieldSelector=data.a=b", unlike: true},
	{name: "list one page", verb: "GET", path: configMaps + "?labelSelector=list&limit=2"},
	{name: "list a page that never was", verb: "GET", path: configMaps + "?continue=nonsense", unlike: true},
	{name: "watch all", verb: "GET", path: configMaps + "?watch=true&timeoutSeconds=1&labelSelector=list"},
	{name: "leaves the selector", verb: "MERGE", path: configMaps + "/l1", body: "{metadata: {labels: {list: c}}}"},
	{name: "enters it", verb: "MERGE", path: configMaps + "/l3", body: "{metadata: {labels: {list: a}}}"},
	{name: "stays in it", verb: "MERGE", path: configMaps + "/l2", body: "{data: {a: b}}"},
	{name: "goes", verb: "DELETE", path: configMaps + "/l2"},
	{name: "watch since", verb: "GET", path: configMaps + "?watch=true&timeoutSeconds=1&labelSelector=list=a&resourceVersion=$watch"},
	{name: "delete many", verb: "DELETE", path: configMaps + "?labelSelector=list", unlike: true},
	{name: "none left", verb: "GET", path: configMaps + "?labelSelector=list"},

	{name: "owner", verb: "POST", path: configMaps, body: configMapNamed("owner", "")},
	{name: "owned", verb: "POST", path: configMaps, body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: owned, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: $uid}]}}"},
	{name: "delete the owner", verb: "DELETE", path: configMaps + "/owner"},
	{name: "until it is gone with its owner", verb: "GET", path: configMaps + "/owned"},
	{name: "orphan's owner", verb: "POST", path: configMaps, body: configMapNamed("owner", "")},
	{name: "orphan", verb: "POST", path: configMaps, body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: orphan, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: $uid}]}}"},
	{name: "delete the orphan's owner", verb: "DELETE", path: configMaps + "/owner?propagationPolicy=Orphan", unlike: true},
	{name: "until the owner is gone", verb: "GET", path: configMaps + "/owner"},
	{name: "the orphan is there", verb: "GET", path: configMaps + "/orphan", unlike: true},

	{name: "delete the definition", verb: "DELETE", path: defs + "/gadgets.conf.example.com", unlike: true},
	{name: "until the definition is gone", verb: "GET", path: defs + "/gadgets.conf.example.com"},
	{name: "until no gadgets", verb: "GET", path: gadgets},
	{name: "stays behind", verb: "POST", path: configMaps, body: "{apiVersion: v1, kind: ConfigMap, metadata: {name: last, finalizers: [conf.example.com/keep]}}"},
	{name: "delete the namespace", verb: "DELETE", path: inSpace, unlike: true},
	{name: "nothing new in it", verb: "POST", path: configMaps, body: configMapNamed("late", "")},
	{name: "it waits", verb: "GET", path: inSpace, unlike: true},
	{name: "let the last go", verb: "MERGE", path: configMaps + "/last", body: "{metadata: {finalizers: null}}", unlike: true},
	{name: "until the namespace is gone", verb: "GET", path: inSpace},
}
