package staging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"dropline/ingest"
	"dropline/loader/staging"
	"dropline/schema"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// sortRow is one row of table Sort as mapping would make it, with the same values as PostgreSQL reads them from text.
type sortRow struct {
	row  ingest.Row
	text map[string]string // by SQL name, in PostgreSQL's input form; absent ones are missing
}

// sequence is a reader over ready-made rows.
type sequence struct {
	rows    []ingest.Row
	at      int
	fail    error
	onNext  func(at int)
	refused func(at int) *ingest.Reject
}

func (s *sequence) Next() bool {
	if s.at == len(s.rows) {
		return false
	}
	if s.onNext != nil {
		s.onNext(s.at)
	}
	s.at++
	return true
}
func (s *sequence) Row() *ingest.Row { return &s.rows[s.at-1] }
func (s *sequence) Refused() *ingest.Reject {
	if s.refused == nil {
		return nil
	}
	return s.refused(s.at)
}

func (s *sequence) Err() error {
	if s.at == len(s.rows) {
		return s.fail
	}
	return nil
}

// extremes are values at the edges of their kinds, by column of Sort.
var extremes = map[string][]string{
	"Bounded":   {"", "x", "ääääääääääääääääääää", "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀", "a\tb\\N\n", " pad ", "\\."},
	"Unbounded": {"", strings.Repeat("ü€😀", 30_000), "\u0001", "\\N", "\uFFFD\uFEFF\U0010FFFF"},
	"Small":     {"0", "-1", "2147483647", "-2147483648"},
	"Big":       {"0", "9223372036854775807", "-9223372036854775808"},
	"Money": {
		"0", "1", "-1", "0.1", "-0.0001", "0.0001", "999999999999999.9999", "-999999999999999.9999", "10000", "100000000", "0.0100",
		"9999.9999", "10000.0001", "123456789.5", "99990000", "1000000000000",
	},
	"Whole": {"0", "99999999999999999999999999999999999999", "-1", "10000000000000000000000000000000000000", "40000000"},
	"Part":  {"0", "0.999999999", "-0.000000001", "0.00001", "0.12345"},
	"Wide":  {"0", "9999999999999999999.9999999999999999999", "-0.0000000000000000001", "0.00010000000000001", "12345678.00000001"},
	"Flag":  {"true", "false"},
	"Day":   {"0001-01-01", "9999-12-31", "2000-01-01", "1999-12-31", "1970-01-01", "2024-02-29", "1582-10-10"},
	"Moment": {
		"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2000-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z",
		"1969-12-31T23:59:59.000001Z",
	},
	"Colour": {"0", "1"},
	"NodeId": {"N1", "node_0123456789abcdef0123456789abcdef", "node_0123456789ABCDEF0123456789ABCDEF", "😀"},
}

func makeSortRows(table *schema.Table) []sortRow {
	var rows []sortRow
	add := func(values map[string]string) {
		r := sortRow{text: map[string]string{}}
		values["ImportId"] = fmt.Sprintf("S%d", len(rows)+1)
		r.row = ingest.Row{Record: int64(len(rows) + 1), Line: math.MaxInt32 + int64(len(rows)), Offset: 1 << 50, Length: math.MaxInt32}
		for _, c := range table.Columns {
			v, ok := values[c.Name]
			if !ok {
				r.row.Values = append(r.row.Values, ingest.Value{Null: true})
				continue
			}
			value := ingest.Value{Raw: []byte(v)}
			if v != "" || c.Kind == schema.Text {
				value = convert(c, v)
				if v == "" {
					value = ingest.Value{Text: []byte{}}
				}
			}
			r.row.Values = append(r.row.Values, value)
			if c.Kind == schema.Reference && !schema.IsObjectID(c.References.Prefix, []byte(v)) {
				v = id(c.References, v)
			}
			r.text[c.SQLName] = v
		}
		rows = append(rows, r)
	}
	for name, list := range extremes {
		for _, v := range list {
			add(map[string]string{name: v})
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		digits := func(n int) string {
			if n == 0 {
				return "0"
			}
			b := []byte{byte('1' + rng.IntN(9))}
			for range n - 1 {
				b = append(b, "0000000123456789"[rng.IntN(16)])
			}
			return string(b)
		}
		decimal := func(whole, scale int) string {
			s := []string{"", "-"}[rng.IntN(2)] + digits(rng.IntN(whole+1))
			if n := rng.IntN(scale + 1); n > 0 {
				fraction := ""
				for range n {
					fraction += string("000123456789"[rng.IntN(12)])
				}
				s += "." + fraction
			}
			if strings.Trim(s, "-0.") == "" {
				return "0"
			}
			return s
		}
		moment := time.UnixMicro(rng.Int64N(253402300799999999+62135596800000000) - 62135596800000000).UTC()
		add(map[string]string{
			"Money": decimal(15, 4), "Whole": decimal(38, 0), "Part": decimal(0, 9), "Wide": decimal(19, 19),
			"Small": fmt.Sprint(int32(rng.Uint32())), "Big": fmt.Sprint(int64(rng.Uint64())),
			"Day": moment.Format(time.DateOnly), "Moment": moment.Format(time.RFC3339Nano),
			"Unbounded": strings.ReplaceAll(string([]rune{rune(rng.IntN(0xD800)), rune(0x10000 + rng.IntN(0x100000))}), "\x00", " "),
		})
	}
	return rows
}

// PostgreSQL itself says what each value should have become: it reads the same texts by its own input functions.
func TestCopyStoresWhatPostgresWouldRead(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	table := w.def.Table("Sort")
	rows := makeSortRows(table)
	target := w.next()
	if err := w.store.Begin(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	reader := &sequence{}
	for _, r := range rows {
		reader.rows = append(reader.rows, r.row)
	}
	stats, err := w.store.Copy(t.Context(), target, table, staging.File{Number: 1, Path: "/inbox/sort.csv"}, reader, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := (staging.CopyStats{Read: int64(len(rows)), Staged: int64(len(rows))}); stats != want {
		t.Fatalf("counts %+v, want %+v", stats, want)
	}
	for _, c := range table.Columns {
		var keys []string
		var texts []*string
		for _, r := range rows {
			keys = append(keys, r.text["import_id"])
			if v, ok := r.text[c.SQLName]; ok {
				texts = append(texts, &v)
			} else {
				texts = append(texts, nil)
			}
		}
		differing := one[int](w, fmt.Sprintf(
			`select count(*) from unnest($1::text[], $2::text[]) want (k, v) left join staging_acme.sort_1 s on s.import_id = k
			 where s.id is null or (s.%[1]s)::text is distinct from (v::%[2]s)::text`, schema.QuoteIdent(c.SQLName), c.PostgresType()), keys, texts)
		if differing != 0 {
			t.Errorf("%d values of column %s are not what PostgreSQL reads from their text", differing, c.Name)
		}
	}
	if got := one[string](w, "select id from staging_acme.sort_1 where import_id = 'S1'"); got != id(table, "S1") {
		t.Errorf("id %s, want %s", got, id(table, "S1"))
	}
}

func TestCopyRefusesWhatWouldEndIt(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	table := w.def.Table("Sort")
	target := w.next()
	if err := w.store.Begin(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	bad := map[string]ingest.Value{
		"Bounded":   {Text: []byte(strings.Repeat("ä", 21))},
		"Unbounded": {Text: []byte("a\xffb")},
		"Small":     {Int: math.MaxInt32 + 1},
		"Money":     {Text: []byte("1000000000000000")},
		"Whole":     {Text: []byte("1.5")},
		"Part":      {Text: []byte("1")},
		"Wide":      {Text: []byte("1e5")},
		"Day":       {Int: 2932897},
		"Moment":    {Int: math.MinInt64},
		"Colour":    {Int: 40000},
	}
	bad["Big"] = ingest.Value{} // fine: every int64 fits
	number := 0
	for name, value := range bad {
		row := makeSortRows(table)[0].row
		for i := range row.Values[1:] {
			row.Values[i+1] = ingest.Value{Null: true}
		}
		row.Values[table.Column(name).Index] = value
		number++
		_, err := w.store.Copy(t.Context(), target, table, staging.File{Number: number, Path: "/inbox/sort.csv"}, &sequence{rows: []ingest.Row{row}}, nil, nil)
		if name == "Big" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if ingest.KindOf(err) != ingest.Internal || !strings.Contains(fmt.Sprint(err), "column "+name) {
			t.Errorf("%s: the error %v does not name the place", name, err)
		}
	}
	if got := one[int](w, "select count(*) from staging_acme.sort_1"); got != 1 {
		t.Errorf("%d rows are staged, want only the sound one", got)
	}
}

// bulk is n rows of Node without references.
func bulk(n int, refused func(at int) *ingest.Reject) *sequence {
	s := &sequence{refused: refused}
	for i := range n {
		s.rows = append(s.rows, ingest.Row{Record: int64(i + 1), Line: int64(i + 2), Length: 50, Values: []ingest.Value{
			{Text: fmt.Appendf(nil, "N%d%s", i, strings.Repeat("x", 60))}, {Null: true}, {Null: true}, {Null: true},
		}})
	}
	return s
}

// A large file goes over two connections, with the keys of refused records in between; it also gets through a pool that has
// one connection to give.
func TestCopyLargeFiles(t *testing.T) {
	t.Parallel()
	dsn := newWorldOf(t, probe(t))
	for _, size := range []int32{1, 4} {
		pool := newPool(t, dsn.pool.Config().ConnString(), size)
		w := &world{t: t, pool: pool, store: newStore(t, pool), def: dsn.def, seq: int64(size) * 10}
		target := w.next()
		if err := w.store.Begin(t.Context(), target); err != nil {
			t.Fatal(err)
		}
		const n = 120_000
		told, rejects := staging.CopyStats{}, int64(0)
		calls := 0
		stats, err := w.store.Copy(
			t.Context(), target, w.def.Table("Node"), staging.File{Number: 1, Path: "/inbox/n.csv"},
			bulk(n, func(at int) *ingest.Reject {
				if at%3 == 0 {
					return &ingest.Reject{Code: ingest.CodeNotNumber}
				}
				return nil
			}),
			func(r *ingest.Reject) error {
				if r.File != "/inbox/n.csv" || r.FileNumber != 1 || r.Table != "Node" {
					return fmt.Errorf("the reject %+v is not filled in", r)
				}
				rejects++
				return nil
			},
			func(s staging.CopyStats) { told = s; calls++ },
		)
		want := staging.CopyStats{Read: n, Staged: n - n/3, Rejected: n / 3}
		if err != nil || stats != want || told != want || rejects != n/3 || calls < 10 {
			t.Fatalf("pool of %d: counts %+v (told %+v in %d calls, %d rejects), %v", size, stats, told, calls, rejects, err)
		}
		if got := one[int64](w, fmt.Sprintf("select count(*) from staging_acme.node_%d", target.Seq)); got != want.Staged {
			t.Errorf("%d rows are there, want %d", got, want.Staged)
		}
		if got := one[int64](w, fmt.Sprintf("select count(distinct id) from staging_acme._rejected_%d", target.Seq)); got != want.Rejected {
			t.Errorf("%d rejected keys are there, want %d", got, want.Rejected)
		}
	}
}

func TestCopyUndoesAFileThatFails(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	target := w.next()
	if err := w.store.Begin(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	table := w.def.Table("Node")
	number := 0
	try := func(ctx context.Context, rows ingest.Rows, refused func(*ingest.Reject) error) (err error) {
		number++
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		_, err = w.store.Copy(ctx, target, table, staging.File{Number: number}, rows, refused, nil)
		return err
	}
	refusal := &ingest.FileRefusal{Code: ingest.CodeUnreadable, Message: "cut short"}
	broken := bulk(60_000, nil)
	broken.fail = refusal
	if err := try(t.Context(), broken, nil); !errors.Is(err, refusal) {
		t.Errorf("the reader's refusal came back as %v", err)
	}
	full := errors.New("no room for rejects")
	err := try(t.Context(), bulk(30_000, func(at int) *ingest.Reject {
		if at == 29_000 {
			return &ingest.Reject{}
		}
		return nil
	}), func(*ingest.Reject) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("the error of refused came back as %v", err)
	}
	panics := bulk(60_000, nil)
	panics.onNext = func(at int) {
		if at == 50_000 {
			panic("a fault in mapping")
		}
	}
	if err := try(t.Context(), panics, nil); err == nil || !strings.Contains(err.Error(), "a fault in mapping") {
		t.Errorf("the reader's panic came back as %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := bulk(60_000, nil)
	cancelled.onNext = func(at int) {
		if at == 50_000 {
			cancel()
		}
	}
	if err := try(ctx, cancelled, nil); ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("a cancelled copy ended with %v", err)
	}
	killed := bulk(60_000, nil)
	killed.onNext = func(at int) {
		if at == 50_000 {
			ended := 0
			for tries := 0; ended == 0 && tries < 500; tries++ { // the server may not have come to see the COPY yet
				ended = one[int](w, "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and query like 'copy %'")
				time.Sleep(10 * time.Millisecond)
			}
		}
	}
	if err := try(t.Context(), killed, nil); ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("a copy whose backend was killed ended with %v", err)
	}
	if got := one[int](w, "select count(*) from staging_acme.node_1") + one[int](w, "select count(*) from staging_acme._files"); got != 0 {
		t.Errorf("%d rows are left of files that failed", got)
	}
	for i := range 8 { // every connection has come back to the pool
		conn, err := w.pool.Acquire(t.Context())
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer conn.Release()
	}
}

func TestCopySeveralFilesIntoOneTable(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	target := w.next()
	if err := w.store.Begin(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	for i := range 4 {
		go func() {
			rows := newRows(w.def, csvFile{"Node", "ImportId", []string{fmt.Sprintf("N%d", i)}})
			_, err := w.store.Copy(t.Context(), target, w.def.Table("Node"), staging.File{Number: i + 1, Path: "x"}, rows, nil, nil)
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := one[int](w, "select count(*) from staging_acme.node_1"); got != 4 {
		t.Errorf("%d rows, want 4", got)
	}
	again := newRows(w.def, csvFile{"Node", "ImportId", []string{"N9"}})
	_, err := w.store.Copy(t.Context(), target, w.def.Table("Node"), staging.File{Number: 2, Path: "x"}, again, nil, nil)
	if ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("the same file twice ended with %v", err)
	}
}

// Only what has rows gets a table. It is unlogged, as are the marks by which a crash is noticed.
func TestStagingTablesAreFewAndUnlogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.load(nil, csvFile{"Contact", "ImportId|Type", nil}, csvFile{"Client", "ImportId|ContactId", []string{"!C1|P1", "!C2|P1"}},
		csvFile{"Employee", "ImportId|SortName", []string{"E1|a"}})
	rows, err := w.pool.Query(t.Context(), `select relname::text || ' ' || relpersistence::text from pg_class where relkind = 'r'
		and relnamespace = 'staging_acme'::regnamespace and relname not like '\_%'`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if diff := cmp.Diff([]string{"employee_1_rows u"}, got); diff != "" || err != nil {
		t.Errorf("tables in staging: %s %v", diff, err)
	}
	want := map[int]staging.CopyStats{1: {}, 2: {Read: 2, Rejected: 2}, 3: {Read: 1, Staged: 1}}
	if diff := cmp.Diff(want, o.stats); diff != "" {
		t.Error(diff)
	}
}

// nodes is an endless supply of rows for benchmarks.
type nodes struct {
	row  ingest.Row
	left int
}

func (n *nodes) Next() bool {
	n.left--
	n.row.Record++
	n.row.Values[0].Text = strconv.AppendInt(append(n.row.Values[0].Text[:0], 'N'), n.row.Record, 10)
	return n.left >= 0
}
func (n *nodes) Row() *ingest.Row        { return &n.row }
func (n *nodes) Refused() *ingest.Reject { return nil }
func (n *nodes) Err() error              { return nil }

func BenchmarkCopy(b *testing.B) {
	w := newWorldOf(b, probe(b))
	target := w.next()
	if err := w.store.Begin(b.Context(), target); err != nil {
		b.Fatal(err)
	}
	raw := bytes.Repeat([]byte("N"), 8)
	rows := &nodes{left: b.N, row: ingest.Row{Length: 40, Values: []ingest.Value{{}, {Text: raw, Raw: raw}, {Null: true}, {Int: 7}}}}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := w.store.Copy(b.Context(), target, w.def.Table("Node"), staging.File{Number: 1, Path: "x"}, rows, nil, nil); err != nil {
		b.Fatal(err)
	}
}
