package helm

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"time"
)

// A Past is what the functions gave whose result is another one each time:
// random values, certificates, the time, and what was looked up on a cluster.
// Given to the next rendering, it gives the same again. It holds secrets.
type Past struct {
	// Values are results by call: the file that is rendered, the function, its
	// arguments, and which of several such calls it is, hashed together.
	Values map[string]Result `json:"values,omitempty"`
	// Lookups are what "lookup" found, by what was looked for.
	Lookups map[string]json.RawMessage `json:"lookups,omitempty"`
}

// A Result is what one call gave.
type Result struct {
	Text   string    `json:"text,omitempty"`
	Number int       `json:"number,omitempty"`
	Time   time.Time `json:"time,omitzero"`
	Cert   string    `json:"cert,omitempty"` // of a certificate, whose key is Text
}

// IsZero reports whether nothing was kept.
func (p Past) IsZero() bool { return len(p.Values) == 0 && len(p.Lookups) == 0 }

// Add adds what another rendering of the same layer kept. The maps of p are
// copied.
func (p *Past) Add(o Past) {
	p.Values, p.Lookups = union(p.Values, o.Values), union(p.Lookups, o.Lookups)
}

// union returns the entries of both maps; nil if there are none.
func union[V any](a, b map[string]V) map[string]V {
	if len(a)+len(b) == 0 {
		return nil
	}
	all := make(map[string]V, len(a)+len(b))
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}

// shortestSecret is the length of the shortest random text that is taken for a
// secret: shorter ones are suffixes of names.
const shortestSecret = 8

// Secrets returns the texts of p that nobody should read.
func (p Past) Secrets() []string {
	var secrets []string
	for _, v := range p.Values {
		if len(v.Text) >= shortestSecret {
			secrets = append(secrets, v.Text)
		}
	}
	slices.Sort(secrets)
	return secrets
}

// What dear functions count as, in steps.
const (
	costHash = 100_000   // bcrypt, scrypt
	costCert = 150_000   // a key of 2048 bits
	costKey  = 1_000_000 // one of 4096 bits
)

// maxRandom bounds the length of one random text.
const maxRandom = 1 << 20

// impure are the functions that are replayed.
func (r *run) impure(base map[string]any) map[string]any {
	out := r.clocks(base)
	for name, cost := range map[string]int64{
		"randAlphaNum": 0, "randAlpha": 0, "randNumeric": 0, "randAscii": 0, "randBytes": 0, "randInt": 0,
		"shuffle": 0, "uuidv4": 0, "encryptAES": 0, "bcrypt": costHash, "htpasswd": costHash, "genPrivateKey": costKey,
		"genCA": costCert, "genCAWithKey": costCert / 10, "genSelfSignedCert": costCert, "genSelfSignedCertWithKey": costCert / 10,
		"genSignedCert": costCert, "genSignedCertWithKey": costCert / 10,
	} {
		if fn := base[name]; fn != nil {
			out[name] = r.replayed(name, fn, cost)
		}
	}
	if derive := base["derivePassword"]; derive != nil {
		out["derivePassword"] = r.costly(derive, 3*costHash)
	}
	// As with Helm where names are not looked up.
	out["getHostByName"] = func(string) string { return "" }
	return out
}

// costly counts the cost of fn before it is called.
func (r *run) costly(fn any, cost int64) any {
	guarded := reflect.ValueOf(r.reflected(fn))
	return reflect.MakeFunc(guarded.Type(), func(args []reflect.Value) []reflect.Value {
		r.work(cost)
		return guarded.Call(args)
	}).Interface()
}

// replayed returns fn with its results kept, and given again if the past has
// them. Errors are not kept.
func (r *run) replayed(name string, fn any, cost int64) any {
	f := reflect.ValueOf(fn)
	return reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
		r.work(1)
		key := r.key(name, args)
		if was, ok := r.remembered(key); ok {
			results := []reflect.Value{was.value(f.Type().Out(0))}
			if f.Type().NumOut() > 1 {
				results = append(results, reflect.Zero(f.Type().Out(1)))
			}
			return results
		}
		r.work(cost)
		r.random(name, args)
		results := f.Call(args)
		if len(results) == 1 || results[1].IsNil() {
			kept := resultOf(results[0])
			r.made(int64(len(kept.Text) + len(kept.Cert)))
			r.kept.Values[key] = kept
		}
		return results
	}).Interface()
}

// random bounds how much may be random at once.
func (r *run) random(name string, args []reflect.Value) {
	for _, a := range args {
		if a.CanInt() && name != "randInt" && (a.Int() > maxRandom) {
			panic(&LimitError{"random characters", maxRandom})
		}
	}
}

// remembered returns the result of a call: of this rendering, or of an earlier
// one unless it is a certificate that is about to expire.
func (r *run) remembered(key string) (Result, bool) {
	if was, ok := r.kept.Values[key]; ok {
		return was, true
	}
	was, ok := r.past.Values[key]
	if !ok || was.expiring(r.now) {
		return Result{}, false
	}
	r.kept.Values[key] = was
	return was, true
}

// expiring reports whether a certificate is in the last tenth of its life.
func (v Result) expiring(now time.Time) bool {
	block, _ := pem.Decode([]byte(v.Cert))
	if block == nil {
		return false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return false
	}
	return cert.NotAfter.Sub(now) < cert.NotAfter.Sub(cert.NotBefore)/10
}

// resultOf reads what a function gave.
func resultOf(v reflect.Value) Result {
	switch v.Kind() {
	case reflect.String:
		return Result{Text: v.String()}
	case reflect.Struct: // sprig's certificate
		return Result{Text: v.FieldByName("Key").String(), Cert: v.FieldByName("Cert").String()}
	}
	return Result{Number: int(v.Int())}
}

// value returns v as a value of the type that the function gives.
func (v Result) value(t reflect.Type) reflect.Value {
	out := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.String:
		out.SetString(v.Text)
	case reflect.Struct:
		out.FieldByName("Cert").SetString(v.Cert)
		out.FieldByName("Key").SetString(v.Text)
	default:
		out.SetInt(int64(v.Number))
	}
	return out
}

// A site is where calls are counted: one execution of a file.
type site struct {
	file  string
	calls map[string]int
}

// key names a call: equal calls of one file are told apart by their order.
func (r *run) key(function string, args []reflect.Value) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q %q %s", r.scope, r.site.file, function)
	for _, a := range args {
		r.holds(a.Interface())
		_, _ = fmt.Fprintf(h, " %#v", a.Interface())
	}
	call := short(h.Sum(nil))
	n := r.site.calls[call]
	r.site.calls[call]++
	if n == 0 {
		return call
	}
	_, _ = io.WriteString(h, fmt.Sprint(" ", n))
	return short(h.Sum(nil))
}

func short(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum[:15]) }
