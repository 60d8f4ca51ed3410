package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"dropline/ingest"
)

func TestErrorSurvivesWrapping(t *testing.T) {
	t.Parallel()
	cause := errors.New("the disk is full")
	err := fmt.Errorf("around: %w", ingest.WithHint(ingest.E(ingest.Exhausted, "bucket.Commit", cause), "free some room"))
	if got := ingest.KindOf(err); got != ingest.Exhausted {
		t.Errorf("kind %v", got)
	}
	if got := ingest.HintOf(err); got != "free some room" {
		t.Errorf("hint %q", got)
	}
	if got := ingest.MessageOf(err); got != "the disk is full" {
		t.Errorf("message %q", got)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}

func TestKindOfOtherErrors(t *testing.T) {
	t.Parallel()
	if got := ingest.KindOf(context.Canceled); got != ingest.Unavailable {
		t.Errorf("an ended context is %v", got)
	}
	if got := ingest.KindOf(errors.New("x")); got != ingest.Internal {
		t.Errorf("an unknown error is %v", got)
	}
	if ingest.E(ingest.Invalid, "x", nil) != nil || ingest.WithHint(nil, "x") != nil {
		t.Error("no error became one")
	}
}
