package mssql_test

import (
	"database/sql/driver"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropline/ingest/mssql"
)

func TestEachTypeHasOneText(t *testing.T) {
	t.Parallel()
	guid := []byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	moment := time.Date(2024, 2, 29, 13, 14, 15, 120_000_000, time.UTC)
	for _, c := range []struct {
		base  string
		value driver.Value
		want  string
	}{
		{"bit", true, "1"},
		{"bit", false, "0"},
		{"bigint", int64(math.MinInt64), "-9223372036854775808"},
		{"decimal", []byte("-0.0050"), "-0.0050"},
		{"money", []byte("922337203685477.5807"), "922337203685477.5807"},
		{"float", 0.1, "0.1"},
		{"float", 1e20, "100000000000000000000"},
		{"float", 1e-7, "0.0000001"},
		{"float", math.MaxFloat64, "1.7976931348623157E+308"},
		{"float", math.SmallestNonzeroFloat64, "5E-324"},
		{"real", float64(float32(0.1)), "0.1"},
		{"real", float64(float32(3.4e38)), "3.4E+38"},
		{"date", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), "0001-01-01"},
		{"time", time.Date(1, 1, 1, 23, 59, 59, 999_999_900, time.UTC), "23:59:59.9999999"},
		{"datetime", moment, "2024-02-29 13:14:15.12"},
		{"datetime", time.Date(1753, 1, 1, 0, 0, 0, 0, time.UTC), "1753-01-01 00:00:00"},
		{"datetime2", time.Date(9999, 12, 31, 23, 59, 59, 999_999_900, time.UTC), "9999-12-31 23:59:59.9999999"},
		{"datetime", time.Date(2024, 7, 1, 8, 0, 0, 0, time.FixedZone("", 7200)), "2024-07-01 08:00:00"},
		{"datetimeoffset", time.Date(2024, 7, 1, 8, 0, 0, 0, time.FixedZone("", -(3*3600+30*60))), "2024-07-01 08:00:00-03:30"},
		{"datetimeoffset", moment, "2024-02-29 13:14:15.12+00:00"},
		{"nvarchar", "plain", "plain"},
		{"nvarchar", "", `""`},
		{"nvarchar", " x", `" x"`},
		{"nchar", "x  ", `"x  "`},
		{"nvarchar", "a,b", `"a,b"`},
		{"nvarchar", `say "x"`, `"say ""x"""`},
		{"nvarchar", `"`, `""""`},
		{"ntext", "a\r\nb", "\"a\r\nb\""},
		{"nvarchar", "Grüße, 漢字 🙂", `"Grüße, 漢字 🙂"`},
		{"varchar", "bad \xff", "bad \uFFFD"},
		{"uniqueidentifier", guid, "00112233-4455-6677-8899-AABBCCDDEEFF"},
		{"varbinary", []byte{0, 0xAB, 0x1f}, "0x00AB1F"},
		{"varbinary", []byte{}, "0x"},
		{"rowversion", []byte{0, 0, 0, 0, 0, 0, 7, 0xd1}, "0x00000000000007D1"},
		{"hierarchyid", []byte{0x5a, 0xc0}, "0x5AC0"},
		{"nvarchar", nil, ""},
	} {
		if got := mssql.EncodeRow([]string{"int", c.base}, []driver.Value{int64(1), c.value}); got != "1,"+c.want+"\n" {
			t.Errorf("%s %v: %q, want %q", c.base, c.value, got, c.want)
		}
	}
	if got := mssql.EncodeRow([]string{"int"}, []driver.Value{nil}); got != "\"\"\n" {
		t.Errorf("a record of one NULL is %q, which is no record", got)
	}
}

func TestAVariantWithoutItsBaseTypeIsWrittenByItsLooks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value driver.Value
		want  string
	}{
		{[]byte("-12.50"), "-12.50"},
		{[]byte("123"), "123"},
		{[]byte{1, 2, 3}, "0x010203"},
		{[]byte("0123456789abcdef"), "33323130-3534-3736-3839-616263646566"},
		{time.Date(1, 1, 1, 4, 5, 6, 0, time.UTC), "04:05:06"},
		{time.Date(2020, 1, 1, 4, 5, 6, 0, time.UTC), "2020-01-01 04:05:06"},
		{time.Date(2020, 1, 1, 4, 5, 6, 0, time.FixedZone("", 3600)), "2020-01-01 04:05:06+01:00"},
		{"text", "text"},
		{int64(5), "5"},
	} {
		if got := mssql.EncodeRow([]string{"sql_variant"}, []driver.Value{c.value}); got != c.want+"\n" {
			t.Errorf("%v: %q, want %q", c.value, got, c.want)
		}
	}
}

func TestTimesAreThoseOfTheStandardLibrary(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
	for range 200_000 {
		at := time.Unix(first+r.Int64N(last-first), r.Int64N(1e7)*100).UTC()
		if got, want := mssql.EncodeTime("datetime2", at), at.Format("2006-01-02 15:04:05.9999999"); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		zoned := at.In(time.FixedZone("", (r.IntN(28*60)-14*60)*60))
		if zoned.Year() < 1 || zoned.Year() > 9999 {
			continue
		}
		if got, want := mssql.EncodeTime("datetimeoffset", zoned), zoned.Format("2006-01-02 15:04:05.9999999-07:00"); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	}
}

func FuzzTextReadsBackAsItWas(f *testing.F) {
	for _, s := range []string{"", "a", `"`, `a"b`, `""`, "x,y", "a\nb", " ", "ü", "\xff", `"a"` + "\r\n"} {
		f.Add(s, "z")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		got := mssql.EncodeRow([]string{"nvarchar", "nvarchar"}, []driver.Value{a, b})
		r := csv.NewReader(strings.NewReader(got))
		fields, err := r.Read()
		if err != nil || len(fields) != 2 {
			t.Fatalf("%q: %q: %v", a, got, err)
		}
		for i, want := range []string{a, b} {
			want = strings.ReplaceAll(strings.ToValidUTF8(want, "\uFFFD"), "\r\n", "\n") // as encoding/csv reads it
			if fields[i] != want {
				t.Fatalf("%q came back as %q", want, fields[i])
			}
		}
	})
}

func TestFloatsReadBackAsTheyWere(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		v := math.Float64frombits(r.Uint64())
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		text := strings.TrimSpace(mssql.EncodeRow([]string{"float"}, []driver.Value{v}))
		if back, err := strconv.ParseFloat(text, 64); err != nil || back != v {
			t.Fatalf("%v is written %q", v, text)
		}
		if len(text) > 40 {
			t.Fatalf("%q is long", text)
		}
	}
}
