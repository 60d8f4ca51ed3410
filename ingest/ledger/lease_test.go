package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"dropline/ingest"
)

func TestOneHolderAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, _ := w.open()
	for name, c := range map[string]struct {
		mine, same, another func(fn func(ctx) error) (bool, error)
	}{
		"lease": {
			func(fn func(ctx) error) (bool, error) { return w.Lease(t.Context(), "sweep", fn) },
			func(fn func(ctx) error) (bool, error) { return other.Lease(t.Context(), "sweep", fn) },
			func(fn func(ctx) error) (bool, error) { return other.Lease(t.Context(), "reclaim", fn) },
		},
		"tenant": {
			func(fn func(ctx) error) (bool, error) { return w.WithTenantLock(t.Context(), acme, fn) },
			func(fn func(ctx) error) (bool, error) { return other.WithTenantLock(t.Context(), acme, fn) },
			func(fn func(ctx) error) (bool, error) { return other.WithTenantLock(t.Context(), globex, fn) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			nothing := func(ctx) error { return nil }
			broken := errors.New("broken")
			held, err := c.mine(func(ctx) error {
				if held, err := c.same(nothing); held || err != nil {
					t.Errorf("while held: %v, %v", held, err)
				}
				if held, err := c.mine(nothing); held || err != nil {
					t.Errorf("while held, in the same process: %v, %v", held, err)
				}
				if held, err := c.another(nothing); !held || err != nil {
					t.Errorf("another one: %v, %v", held, err)
				}
				return broken
			})
			if !held || !errors.Is(err, broken) {
				t.Errorf("the holder: %v, %v", held, err)
			}
			if held, err := c.same(nothing); !held || err != nil { // at once
				t.Errorf("afterwards: %v, %v", held, err)
			}
		})
	}
}

func TestLostLockEndsTheWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	held, err := w.WithTenantLock(t.Context(), acme, func(ctx context.Context) error {
		w.query(`SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Second):
			t.Error("the work went on without its lock")
			return nil
		}
	})
	if !held || ingest.KindOf(err) != ingest.Unavailable {
		t.Errorf("the holder: %v, %v", held, err)
	}
	held, err = w.WithTenantLock(t.Context(), acme, func(context.Context) error { return nil })
	if !held || err != nil {
		t.Errorf("the next: %v, %v", held, err)
	}
}
