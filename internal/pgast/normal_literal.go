package pgast

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// literal is a literal without its cast; the text is brought to the type's own form
// where the server would print another one.
func (n *normalizer) literal(k *Const, typ string) Expr {
	out := &Const{Kind: k.Kind, Text: k.Text}
	if k.Kind != ConstString {
		return out
	}
	switch typ {
	case "bool":
		switch strings.ToLower(strings.TrimSpace(k.Text)) {
		case "t", "true", "y", "yes", "on", "1":
			return &Const{Kind: ConstBool, Text: "true"}
		case "f", "false", "n", "no", "off", "0":
			return &Const{Kind: ConstBool, Text: "false"}
		}
	case "int2", "int4", "int8", "numeric", "float4", "float8", "oid":
		if _, err := strconv.ParseFloat(k.Text, 64); err == nil {
			kind := ConstFloat
			if _, err := strconv.ParseInt(k.Text, 10, 32); err == nil {
				kind = ConstInt
			}
			return &Const{Kind: kind, Text: strings.TrimSpace(k.Text)}
		}
	case "regclass":
		return n.regclass(k)
	case "interval":
		out.Text = intervalText(k.Text)
	case "uuid":
		out.Text = strings.ToLower(k.Text)
	case "jsonb":
		out.Text = jsonText(k.Text)
	case "timestamp", "timestamptz":
		out.Text = timestampText(k.Text, typ)
	}
	return out
}

// timestampText completes a date; a time zone is UTC where none is written, as on a
// server whose TimeZone is that.
func timestampText(s, typ string) string {
	layouts := []string{"2006-01-02", "2006-01-02 15:04:05", "2006-01-02T15:04:05"}
	for _, l := range layouts {
		if d, err := time.Parse(l, s); err == nil {
			return d.Format("2006-01-02 15:04:05") + choose(typ == "timestamptz", "+00", "")
		}
	}
	return s
}

func jsonText(s string) string {
	var v any
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return s
	}
	return string(b)
}

// intervalText spells an interval as the server prints it (postgres style); what it
// does not understand stays as written.
func intervalText(s string) string {
	var months, days int
	var micros int64
	f := strings.Fields(strings.ToLower(s))
	for i := 0; i < len(f); i++ {
		if strings.Contains(f[i], ":") {
			us, ok := clock(f[i])
			if !ok {
				return s
			}
			micros += us
			continue
		}
		num, unit := f[i], ""
		if cut := strings.IndexFunc(f[i], func(r rune) bool { return r >= 'a' && r <= 'z' }); cut > 0 {
			num, unit = f[i][:cut], f[i][cut:]
		} else if i++; i < len(f) {
			unit = f[i]
		}
		q, err := strconv.Atoi(num)
		if err != nil {
			return s
		}
		switch strings.TrimSuffix(unit, "s") {
		case "y", "year", "yr":
			months += 12 * q
		case "mon", "month":
			months += q
		case "w", "week":
			days += 7 * q
		case "d", "day":
			days += q
		case "h", "hour", "hr":
			micros += int64(q) * 3_600_000_000
		case "m", "min", "minute":
			micros += int64(q) * 60_000_000
		case "", "sec", "second":
			micros += int64(q) * 1_000_000
		default:
			return s
		}
	}
	return printInterval(months, days, micros)
}

func clock(s string) (int64, bool) {
	neg := strings.HasPrefix(s, "-")
	p := strings.Split(strings.TrimLeft(s, "+-"), ":")
	if len(p) < 2 || len(p) > 3 {
		return 0, false
	}
	var us int64
	for i, unit := range []int64{3_600_000_000, 60_000_000, 1_000_000}[:len(p)] {
		x, err := strconv.ParseFloat(p[i], 64)
		if err != nil {
			return 0, false
		}
		us += int64(x * float64(unit))
	}
	if neg {
		us = -us
	}
	return us, true
}

func printInterval(months, days int, micros int64) string {
	var out []string
	add := func(q int, unit string) {
		if q != 0 {
			out = append(out, fmt.Sprintf("%d %s%s", q, unit, choose(q == 1, "", "s")))
		}
	}
	add(months/12, "year")
	add(months%12, "mon")
	add(days, "day")
	if micros != 0 || len(out) == 0 {
		sign := ""
		if micros < 0 {
			sign, micros = "-", -micros
		}
		s := fmt.Sprintf("%s%02d:%02d:%02d", sign, micros/3_600_000_000, micros/60_000_000%60, micros/1_000_000%60)
		if frac := micros % 1_000_000; frac != 0 {
			s += strings.TrimRight(fmt.Sprintf(".%06d", frac), "0")
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}
