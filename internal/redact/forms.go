package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// shortestPart is the length of the shortest line, or part in base64, that is
// told from other text.
const shortestPart = 8

// forms returns the texts that a secret stands in.
func forms(secret string) []string {
	quoted := strconv.Quote(secret)
	ascii := strconv.QuoteToASCII(secret)
	all := []string{
		secret,
		quoted[1 : len(quoted)-1], ascii[1 : len(ascii)-1],
		inJSON(secret, true), inJSON(secret, false),
		strings.ReplaceAll(secret, "'", "''"), // YAML in single quotes
		url.QueryEscape(secret), url.PathEscape(secret),
		hex.EncodeToString([]byte(secret)),
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		all = append(all, encoding.EncodeToString([]byte(secret)))
		all = append(all, inside(encoding, secret)...)
	}
	// In a block of YAML the lines of a secret are indented.
	if strings.Contains(secret, "\n") {
		for line := range strings.SplitSeq(secret, "\n") {
			if line = strings.TrimSpace(line); len(line) >= shortestPart {
				all = append(all, line)
			}
		}
	}
	return all
}

// inJSON returns secret as it stands between the quotes of JSON.
func inJSON(secret string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if err := enc.Encode(secret); err != nil {
		return secret
	}
	text := strings.TrimSuffix(b.String(), "\n")
	return text[1 : len(text)-1]
}

// inside returns what the base64 form of any text that holds secret has in it,
// for each of the three places where a group of bytes may begin.
func inside(encoding *base64.Encoding, secret string) []string {
	var parts []string
	for skip := range 3 {
		if skip >= len(secret) {
			break
		}
		whole := secret[skip:]
		whole = whole[:len(whole)/3*3]
		if part := encoding.EncodeToString([]byte(whole)); len(part) >= shortestPart {
			parts = append(parts, part)
		}
	}
	return parts
}
