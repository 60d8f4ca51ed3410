package mapping_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"dropline/internal/devstack/devtest"
	"dropline/mapping"
	"dropline/schema"
)

// TestAgainstPostgres makes up thousands of values of every kind, right and nearly right. What the reader lets through,
// PostgreSQL must take as it is and understand the same; what PostgreSQL's own input refuses in the file's text, the
// reader may only take where it documents more forms.
func TestAgainstPostgres(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, devtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "set timezone = 'UTC'; set datestyle = 'ISO, YMD'"); err != nil {
		t.Fatal(err)
	}
	s := testSchema(t)
	m := newMapper(t, s, "version: 1\nfiles: [{pattern: '*', encoding: utf-8}]\n", mapping.Options{})
	random := rand.New(rand.NewPCG(1, 2))
	types := [][2]string{
		{"Quantity", "int4"},
		{"Counter", "int8"},
		{"Price", "numeric(7,2)"},
		{"Ordered", "timestamptz"},
		{"Due", "date"},
		{"Paid", "bool"},
		{"CustomerId", "varchar(41)"},
	}
	for _, of := range types {
		column, pgType := of[0], of[1]
		values := make([]string, 6000)
		for i := range values {
			values[i] = madeUp(random, column)
		}
		accepted, as := readColumn(t, m, column, values)
		if len(accepted) < 200 || len(accepted) == len(values) {
			t.Errorf("%s: %d of %d made-up values are accepted: the test shows little", column, len(accepted), len(values))
		}
		if _, err := conn.Exec(ctx, fmt.Sprintf(`create or replace function reads(v text) returns text language plpgsql as
			$$ begin return (v::%s)::text; exception when others then return null; end $$`, pgType)); err != nil {
			t.Fatal(err)
		}
		// What is written must be taken and, where PostgreSQL reads the file's own text too, mean the same.
		rows, err := conn.Query(ctx, "select v.file, v.ours, reads(v.file), reads(v.ours) from unnest($1::text[], $2::text[]) v(file, ours)",
			accepted, as)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var file, ours string
			var theirs, cast *string
			if err := rows.Scan(&file, &ours, &theirs, &cast); err != nil {
				t.Fatal(err)
			}
			switch {
			case cast == nil:
				t.Errorf("%s: %q is let through as %q, which PostgreSQL refuses", column, file, ours)
			case theirs != nil && strings.TrimSpace(*theirs) != *cast:
				t.Errorf("%s: %q is %s for PostgreSQL and %s here", column, file, *theirs, *cast)
			}
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
	}
}

// readColumn reads values of one column, and returns those accepted and what became of them.
func readColumn(t *testing.T, m *mapping.Mapper, column string, values []string) (accepted, as []string) {
	t.Helper()
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	header := []string{"ImportId", "CustomerId"}
	if column != "CustomerId" {
		header = append(header, column)
	}
	records := [][]string{header}
	for i, v := range values {
		record := []string{fmt.Sprint(i), "C1", v}
		if column == "CustomerId" {
			record = []string{fmt.Sprint(i), v}
		}
		records = append(records, record)
	}
	if err := w.WriteAll(records); err != nil {
		t.Fatal(err)
	}
	r := open(t, m, "Order.csv", file.Bytes())
	c := r.Table().Column(column)
	for r.Next() {
		v := &r.Row().Values[c.Index]
		if r.Refused() != nil || v.Null {
			continue
		}
		accepted, as = append(accepted, values[r.Row().Record-1]), append(as, show(c, v))
		if c.Kind == schema.Reference {
			as[len(as)-1] = string(v.Text)
		}
	}
	if r.Err() != nil || r.Row().Record != int64(len(values)) {
		t.Fatalf("%d of %d records: %v", r.Row().Record, len(values), r.Err())
	}
	return accepted, as
}

// madeUp is a value for a column: of a usual form, and in half of the cases with a character changed, added or dropped.
func madeUp(random *rand.Rand, column string) string {
	n := func(most int) int { return random.IntN(most + 1) }
	day := fmt.Sprintf("%04d-%02d-%02d", []int{n(9999), 1900 + n(200), 2026}[n(2)], n(13), n(32))
	var forms []string
	alphabet := "0123456789.-+,:eE T/()$ Z"
	switch column {
	case "Quantity", "Counter":
		forms = []string{
			fmt.Sprint(n(1000)), fmt.Sprint(-n(1 << 40)), fmt.Sprint(1<<31 - 2 + n(3)), fmt.Sprint(uint64(1<<63) - 2 + uint64(n(3))),
			fmt.Sprint(-1<<31 + 1 - n(2)), fmt.Sprintf("%d.00", n(99)), fmt.Sprintf("%de%d", n(9), n(20)), fmt.Sprintf("%d,%03d", n(99), n(999)),
		}
	case "Price":
		forms = []string{
			fmt.Sprintf("%d.%02d", n(99999), n(99)), fmt.Sprintf("-%d.%d", n(999999), n(99)), fmt.Sprintf(".%03d", n(999)),
			fmt.Sprintf("%d.%dE%d", n(9), n(99), n(6)-3), fmt.Sprintf("%d,%03d.%02d", n(99), n(999), n(99)), fmt.Sprintf("(%d)", n(9999)), fmt.Sprintf("%08d", n(99999)),
		}
	case "Due":
		forms = []string{day, strings.ReplaceAll(day, "-", ""), strings.ReplaceAll(day, "-", "/"), day + " 00:00:00", day + "T00:00"}
	case "Ordered":
		clock := fmt.Sprintf("%02d:%02d:%02d", n(24), n(60), n(60))
		zone := []string{"", "Z", " +10", "-03:30", "+1545", "-15"}[n(5)]
		forms = []string{day, day + " " + clock, day + "T" + clock + zone, fmt.Sprintf("%s %s.%0*d%s", day, clock, 1+n(7), n(9), zone), day + " " + clock[:5]}
	case "Paid":
		forms = []string{"true", "false", "YES", "No", "t", "f", "1", "0", "Y", "on", "2"}
		alphabet = "truefalsyn01 "
	case "CustomerId":
		forms = []string{"C1", "customer_0123456789abcdef0123456789abcdef", "CUSTOMER-é-ü", "order_0123456789abcdef0123456789abcdef", "C\x01", "C\u0085", "C\xff", "12345678901234567890"}
		alphabet = "abc_0\x00\xfe\x7f"
	}
	v := []byte(forms[random.IntN(len(forms))])
	if random.IntN(2) == 0 {
		return string(v)
	}
	at, c := random.IntN(len(v)), alphabet[random.IntN(len(alphabet))]
	switch random.IntN(3) {
	case 0:
		v[at] = c
	case 1:
		v = append(v[:at:at], append([]byte{c}, v[at:]...)...)
	default:
		v = append(v[:at:at], v[at+1:]...)
	}
	return string(v)
}
