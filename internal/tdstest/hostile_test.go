package tdstest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"dropline/internal/tdstest"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{people(), {Name: "secret", Columns: []tdstest.Column{{Name: "a", Type: "int"}}}}, Denied: []string{"dbo.secret"}})
	db := open(t, s.URL())
	for query, number := range map[string]int32{
		"SELECT * FROM nothing":                                          208,
		"SELECT * FROM Person":                                           208,
		"SELECT nothing FROM etl.Person":                                 207,
		"SELECT x.id FROM etl.Person p":                                  4104,
		"SELECT a.id, b.id FROM etl.Person a, etl.Person b WHERE id = 1": 209,
		"SELECT * FROM secret":                                           229,
		"SELEKT 1":                                                       102,
		"SELECT FROM":                                                    156,
		"SELECT 'open":                                                   105,
		"SELECT NO_SUCH_FUNCTION(1)":                                     195,
		"SELECT @unknown":                                                137,
		"SELECT 1/0":                                                     8134,
		"SELECT CAST('x' AS int)":                                        245,
		"SELECT CAST(300 AS tinyint)":                                    8115,
		"SELECT CAST('x' AS decimal(5,2))":                               8114,
		"SELECT CAST('x' AS date)":                                       241,
		"SELECT CAST('x' AS nothing)":                                    2715,
		"DELETE FROM etl.Person":                                         262,
		"RAISERROR('mine', 12, 3) WITH NOWAIT":                           50000,
		"RAISERROR('mine', 20, 3)":                                       2754,
		"USE nowhere":                                                    911,
		"THROW 51000, 'mine', 3":                                         51000,
		"SELECT " + strings.Repeat("(", 300) + "1":                       191,
		"SELECT 1" + strings.Repeat("+1", 200_000):                       191,
		"SELECT CAST('1e999999999' AS decimal(5,2))":                     8114,
		"SELECT (SELECT id FROM etl.Person)":                             512,
	} {
		var e mssql.Error
		for _, args := range [][]any{nil, {1}} {
			if _, err := readAll(within(t), db, query, args...); !errors.As(err, &e) || e.Number != number {
				t.Errorf("%.60s: %v, want %d", query, err, number)
			}
		}
	}
	var e mssql.Error
	if _, err := db.ExecContext(within(t), "sp_nothing", 1); !errors.As(err, &e) || e.Number != 2812 {
		t.Error(err)
	}
	if err := db.PingContext(within(t)); err != nil || s.MaxConnections() != 1 {
		t.Error(err, s.MaxConnections())
	}
}

// TestHostile sends bytes that are no TDS, and messages cut off: the connection ends and the server goes on.
func TestHostile(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Encryption: tdstest.NotSupported})
	prelogin := "\x12\x01\x00\x1a\x00\x00\x01\x00\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff\x0e\x00\x00\x00\x00\x00\x02"
	for _, bytes := range []string{
		"GET / HTTP/1.1\r\n\r\n", "\x12\x01\x00\x04", "\x12\x01\xff\xff", "\x16\x03\x01", strings.Repeat("\xff", 100_000), prelogin,
		prelogin + "\x10\x01\x00\x0c\x00\x00\x01\x00\xff\xff\xff\xff", prelogin + "\x01\x01\x00\x08\x00\x00\x01\x00",
	} {
		conn, err := (&net.Dialer{}).DialContext(within(t), "tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(bytes))
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		buf := make([]byte, 4096)
		for err = nil; err == nil; _, err = conn.Read(buf) {
		}
		if errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "timeout") {
			t.Errorf("%.20q: the server waits", bytes)
		}
		_ = conn.Close()
	}
	if err := open(t, s.URL()).PingContext(within(t)); err != nil {
		t.Error(err)
	}
}

// TestSoup sends queries of words in a random order: each is answered, and nothing panics.
func TestSoup(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{people(), numbers(100)}})
	db := open(t, s.URL())
	words := strings.Fields(`SELECT SELECT FROM FROM WHERE etl.Person numbers sys.columns p p q , , ( ) ( ) * = <> < AND OR NOT IN LIKE IS NULL
		BETWEEN 1 2 0 -1 1.5 1e300 'x' N'ü%' 0xFF @p1 @@DBTS id name rate born version word amount p.id ORDER BY GROUP BY HAVING COUNT(*)
		MAX( SUM( MIN( CAST( AS int) AS date) AS decimal(5,2)) LEFT JOIN ON TOP (2) DISTINCT UNION ALL CASE WHEN THEN ELSE END + - / %
		LEN( SUBSTRING( ISNULL( OBJECT_ID( EXISTS ( OFFSET ROWS [ ] ; COLLATE . CONVERT(varchar(30), ,1) LEFT( REPLACE( DATALENGTH(`)
	r := rand.New(rand.NewPCG(1, 2))
	good := 0
	for range 4000 {
		query := "SELECT "
		for range 1 + r.IntN(12) {
			query += words[r.IntN(len(words))] + " "
		}
		_, err := readAll(within(t), db, query, int64(1))
		var e mssql.Error
		switch {
		case err == nil:
			good++
		case !errors.As(err, &e):
			t.Fatalf("%s: %v", query, err)
		}
	}
	if good < 20 || s.MaxConnections() != 1 {
		t.Errorf("%d queries that mean something, %d connections", good, s.MaxConnections())
	}
}

// TestFatal ends the connection by an error of class 20 and more.
func TestFatal(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{})
	conn, err := open(t, s.URL()).Conn(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var e mssql.Error
	if _, err := conn.ExecContext(within(t), "RAISERROR('gone', 24, 1) WITH LOG"); !errors.As(err, &e) || e.Class != 24 {
		t.Error(err)
	}
	if err := conn.PingContext(within(t)); err == nil {
		t.Error("the connection is still there")
	}
}
