package helm

import "time"

// clocks are the functions that tell the time. There is one time zone, UTC: the
// zone of a machine would make another text on the next.
func (r *run) clocks(base map[string]any) map[string]any {
	out := map[string]any{
		"now":        r.present,
		"toDate":     func(layout, s string) time.Time { r.read(s); t, _ := time.Parse(layout, s); return t },
		"mustToDate": func(layout, s string) (time.Time, error) { r.read(s); return time.Parse(layout, s) },
		"ago": func(date any) string {
			t, ok := timeOf(date)
			if !ok {
				return "0s"
			}
			return r.present().Sub(t).Round(time.Second).String()
		},
	}
	inZone, ok := base["dateInZone"].(func(string, any, string) string)
	if !ok {
		return out
	}
	in := func(layout string, date any, zone string) string {
		t, ok := timeOf(date)
		if !ok {
			t = r.present()
		}
		if zone == "Local" || zone == "" {
			zone = "UTC"
		}
		r.read(layout)
		return r.text(inZone(layout, t, zone))
	}
	const day = "2006-01-02"
	out["dateInZone"], out["date_in_zone"] = in, in
	out["date"] = func(layout string, date any) string { return in(layout, date, "UTC") }
	out["htmlDate"] = func(date any) string { return in(day, date, "UTC") }
	out["htmlDateInZone"] = func(date any, zone string) string { return in(day, date, zone) }
	if round, ok := base["durationRound"].(func(any) string); ok {
		out["durationRound"] = func(d any) string {
			if t, ok := d.(time.Time); ok {
				d = int64(r.present().Sub(t))
			}
			return round(d)
		}
	}
	return out
}

// timeOf returns the time that a value stands for, as sprig has it.
func timeOf(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case *time.Time:
		return *v, true
	case int64:
		return time.Unix(v, 0).UTC(), true
	case int32:
		return time.Unix(int64(v), 0).UTC(), true
	case int:
		return time.Unix(int64(v), 0).UTC(), true
	}
	return time.Time{}, false
}

// present returns the time of the first rendering.
func (r *run) present() time.Time {
	r.work(1)
	key := r.key("now", nil)
	if was, ok := r.remembered(key); ok {
		return was.Time
	}
	r.kept.Values[key] = Result{Time: r.now}
	return r.now
}
