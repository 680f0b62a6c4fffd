// Package nearest finds the known name that somebody probably meant.
package nearest

// Name returns the candidate that is nearest to name, or "" if none is near
// enough to be what was meant: more than a third of the letters differ.
func Name(name string, candidates []string) string {
	best, bestDistance := "", len(name)/3+1
	for _, c := range candidates {
		if d := distance(name, c); d <= bestDistance && (best == "" || d < bestDistance) {
			best, bestDistance = c, d
		}
	}
	return best
}

// Hint returns the text `, did you mean "x"?` for the nearest candidate, or ""
// if there is none.
func Hint(name string, candidates []string) string {
	if n := Name(name, candidates); n != "" {
		return `, did you mean "` + n + `"?`
	}
	return ""
}

// distance is the number of letters to insert, remove, change or swap with
// their neighbour that leads from a to b, without regard to case
// (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if lower(a[i-1]) == lower(b[j-1]) {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && lower(a[i-1]) == lower(b[j-2]) && lower(a[i-2]) == lower(b[j-1]) {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
