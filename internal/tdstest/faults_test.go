package tdstest_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"dropline/internal/tdstest"
)

// numbers is a generated table of n rows.
func numbers(n int) tdstest.Table {
	return tdstest.Table{
		Name: "numbers", PrimaryKey: []string{"id"}, Count: n,
		Columns: []tdstest.Column{
			{Name: "id", Type: "bigint", NotNull: true}, {Name: "word", Type: "varchar(40)"}, {Name: "amount", Type: "decimal(19,4)"},
		},
		Generate: func(i int, dst []any) {
			dst[0], dst[1], dst[2] = int64(i)*2, "a word of some length", "12345.6789"
			if i%10 == 9 {
				dst[1], dst[2] = nil, nil
			}
		},
	}
}

// querier is a database or one connection to it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// readAll counts the rows a query gives before its end or its error.
func readAll(ctx context.Context, db querier, query string, args ...any) (int, error) {
	return readEach(ctx, db, func(int) {}, query, args...)
}

// readEach is readAll, and calls each after each row with their number.
func readEach(ctx context.Context, db querier, each func(n int), query string, args ...any) (int, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	n := 0
	for rows.Next() {
		n++
		each(n)
	}
	return n, rows.Err()
}

func TestDrop(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{
		Tables: []tdstest.Table{numbers(1000), people()},
		Faults: tdstest.Faults{DropAfterRows: 300, DropTimes: 2, DropTable: "dbo.numbers"},
	})
	db := open(t, s.URL())
	for attempt := range 3 {
		if n, err := readAll(within(t), db, "SELECT * FROM etl.Person"); n != 3 || err != nil {
			t.Fatalf("another table: %d, %v", n, err)
		}
		n, err := readAll(within(t), db, "SELECT * FROM numbers")
		if attempt < 2 && (n != 300 || err == nil) || attempt == 2 && (n != 1000 || err != nil) {
			t.Errorf("attempt %d: %d rows, %v", attempt, n, err)
		}
	}
}

func TestErrorInRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err     tdstest.Error
		endsTx  bool
		endsAll bool
	}{
		{tdstest.Error{Number: 1205, State: 51, Class: 13, Message: "deadlock"}, true, false},
		{tdstest.Error{Number: 601, State: 3, Class: 12, Message: "moved"}, false, false},
		{tdstest.Error{Number: 823, State: 2, Class: 24, Message: "disk"}, false, true},
	} {
		e := c.err
		s := tdstest.Start(t, tdstest.Options{
			Tables: []tdstest.Table{numbers(50)}, Faults: tdstest.Faults{ErrorAfterRows: 20, RowError: &e},
		})
		conn, err := open(t, s.URL()).Conn(within(t))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.ExecContext(within(t), "BEGIN TRAN"); err != nil {
			t.Fatal(err)
		}
		n, err := readAll(within(t), conn, "SELECT * FROM numbers")
		var got mssql.Error
		if !errors.As(err, &got) || got.Number != c.err.Number || got.State != c.err.State || got.Class != c.err.Class || n != 20 {
			t.Errorf("%d: %d rows, %v", c.err.Number, n, err)
		}
		open := -1
		err = conn.QueryRowContext(within(t), "SELECT @@TRANCOUNT").Scan(&open)
		if (err != nil) != c.endsAll || err == nil && (open == 0) != c.endsTx {
			t.Errorf("%d: after it %d transactions, %v", c.err.Number, open, err)
		}
	}
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{numbers(50)}, Faults: tdstest.Faults{GarbageAfterRows: 7}})
	db := open(t, s.URL())
	if n, err := readAll(within(t), db, "SELECT * FROM numbers"); n != 7 || err == nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if n, err := readAll(within(t), db, "SELECT * FROM numbers"); n != 50 || err != nil {
		t.Errorf("then %d rows, %v", n, err)
	}
}

// TestStall cancels while the server stalls: the attention is answered, and the connection is good for more.
func TestStall(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{
		Tables: []tdstest.Table{numbers(50)},
		Faults: tdstest.Faults{StallAfterRows: 10, StallFor: time.Minute, StallTimes: 1},
	})
	db := open(t, s.URL())
	db.SetMaxOpenConns(1)
	ctx, cancel := context.WithCancel(within(t))
	n, err := readEach(ctx, db, func(n int) {
		if n == 10 {
			cancel()
		}
	}, "SELECT * FROM numbers WHERE id >= @p1", 0)
	cancel()
	if n != 10 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d rows, %v", n, err)
	}
	if s.Attentions() != 1 {
		t.Errorf("%d attentions", s.Attentions())
	}
	if n, err := readAll(within(t), db, "SELECT * FROM numbers"); n != 50 || err != nil {
		t.Errorf("then %d rows, %v", n, err)
	}
	if s.MaxConnections() != 1 {
		t.Errorf("%d connections", s.MaxConnections())
	}
}

// TestAttention cancels in the middle of a large result and in a statement that waits.
func TestAttention(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{numbers(5_000_000)}})
	db := open(t, s.URL())
	db.SetMaxOpenConns(1)
	for range 5 {
		ctx, cancel := context.WithCancel(within(t))
		n, err := readEach(ctx, db, func(n int) {
			if n == 100 {
				cancel()
			}
		}, "SELECT * FROM numbers")
		cancel()
		if n < 100 || n > 100_000 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d rows, %v", n, err)
		}
	}
	// The driver gives up a connection whose context ran out of time, but not one whose context was cancelled.
	ctx, cancel := context.WithCancel(within(t))
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := db.ExecContext(ctx, "WAITFOR DELAY '00:01:00'"); err == nil {
		t.Error("the wait ended without an error")
	}
	if err := db.PingContext(within(t)); err != nil {
		t.Error(err)
	}
	if s.Attentions() < 6 || s.MaxConnections() != 1 {
		t.Errorf("%d attentions, %d connections", s.Attentions(), s.MaxConnections())
	}
}

func TestWrongType(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{
		Tables: []tdstest.Table{people()},
		Faults: tdstest.Faults{DeclareWrongType: map[string]string{"etl.Person.rate": "nvarchar(40)"}},
	})
	db := open(t, s.URL())
	var v any
	if err := db.QueryRowContext(within(t), "SELECT rate FROM etl.Person WHERE id = 3").Scan(&v); err != nil || v != "12.50" {
		t.Errorf("%v (%T), %v", v, v, err)
	}
	s.SetFaults(tdstest.Faults{DeclareWrongType: map[string]string{"Person.name": "int"}})
	var e mssql.Error
	if _, err := readAll(within(t), db, "SELECT name FROM etl.Person"); !errors.As(err, &e) || e.Number != 245 {
		t.Errorf("%v", err)
	}
}

// TestMillion reads a million rows, generated and out of the cache.
func TestMillion(t *testing.T) {
	t.Parallel()
	cached := numbers(1_000_000)
	cached.Name, cached.Cached = "cached", true
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{numbers(1_000_000), cached}})
	db := open(t, s.URL())
	for _, query := range []string{"SELECT * FROM numbers", "SELECT * FROM cached ORDER BY id"} {
		start := time.Now()
		if n, err := readAll(within(t), db, query); n != 1_000_000 || err != nil {
			t.Errorf("%s: %d rows, %v", query, n, err)
		}
		t.Logf("%s: %v", query, time.Since(start).Round(time.Millisecond))
	}
}

// TestRanges reads generated tables by ranges of their key, in memory and out of the cache, and gets every row once.
func TestRanges(t *testing.T) {
	t.Parallel()
	cached, plain := numbers(10_000), numbers(10_000)
	cached.Name, cached.Cached = "cached", true
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{plain, cached}})
	db := open(t, s.URL())
	for _, name := range []string{"numbers", "cached"} {
		var sum, rows, last int64 = 0, 0, -1
		for {
			part := texts(t, db, "SELECT TOP (@n) id, word FROM "+name+" WHERE id > @last ORDER BY id", sql.Named("n", 777), sql.Named("last", last))
			for _, row := range part {
				n := int64(0)
				for _, c := range row[0] {
					n = n*10 + int64(c-'0')
				}
				if n <= last {
					t.Fatalf("%d after %d", n, last)
				}
				last = n
				sum += n
				rows++
			}
			if len(part) < 777 {
				break
			}
		}
		if rows != 10_000 || sum != 9_999*10_000 {
			t.Errorf("%s: %d rows, sum %d", name, rows, sum)
		}
		got := texts(t, db, "SELECT COUNT(*), MIN(id), MAX(id) FROM "+name+" WHERE id >= @a AND id < @b", sql.Named("a", 101), sql.Named("b", 201))
		if len(got) != 1 || got[0][0] != "50" || got[0][1] != "102" || got[0][2] != "200" {
			t.Errorf("%s: %v", name, got)
		}
	}
}
