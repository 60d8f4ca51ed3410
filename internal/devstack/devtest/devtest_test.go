//go:build linux

package devtest_test

import (
	"context"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"dropline/internal/devstack/devtest"
)

func TestPostgresGivesEachTestItsOwnDatabase(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 3 {
		dsn := devtest.Postgres(t)
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		if seen[u.Path] || u.Hostname() != "127.0.0.1" {
			t.Errorf("database %s on %s: want another one each time, on loopback", u.Path, u.Hostname())
		}
		seen[u.Path] = true
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "create schema s; create table s.x (id int primary key)"); err != nil {
			t.Errorf("creating a table: %v", err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestS3ServersKeepObjects(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) devtest.S3Server{"embedded": devtest.S3, "fake": devtest.FakeS3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			client := server.Client()
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: &server.Bucket, Key: aws.String("a/b"), Body: strings.NewReader("hello"), Metadata: map[string]string{"who": "me"},
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &server.Bucket, Key: aws.String("a/b")})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(got.Body)
			if err != nil || string(body) != "hello" {
				t.Errorf("read %q, %v", body, err)
			}
			if diff := cmp.Diff(map[string]string{"who": "me"}, got.Metadata); diff != "" {
				t.Error(diff)
			}
			if other := start(t); other.Bucket == server.Bucket && other.Endpoint == server.Endpoint {
				t.Error("two tests share a bucket")
			}
		})
	}
}

func TestStackIsOnesOwn(t *testing.T) {
	t.Parallel()
	stack := devtest.Stack(t)
	conn, err := pgx.Connect(t.Context(), stack.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var name string
	if err := conn.QueryRow(t.Context(), "select current_database()").Scan(&name); err != nil || name != "dropline" {
		t.Errorf("database %q, %v", name, err)
	}
}
