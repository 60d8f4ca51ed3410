package loader

import (
	"context"
	"sync"
	"time"

	"dropline/ingest"
	"dropline/loader/staging"
)

const heartbeat = 500 * time.Millisecond // how soon a cancelled import stops, and how fresh its progress is

// progress is what is known of a run at the moment. The loading goroutines write it, the heartbeat reads it.
type progress struct {
	mu    sync.Mutex
	done  ingest.Progress // sums over the files that have ended
	under map[int]*ingest.ImportFile
	ended []ingest.ImportFile // not yet reported
}

func (p *progress) begin(f *ingest.ImportFile) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.State = ingest.FileLoading
	if p.under == nil {
		p.under = map[int]*ingest.ImportFile{}
	}
	now := *f
	p.under[f.Number] = &now
}

func (p *progress) copied(number int, s staging.CopyStats, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.under[number]
	f.Read, f.Staged, f.Rejected, f.Bytes = s.Read, s.Staged, s.Rejected, bytes
}

// end counts a file that has been read.
func (p *progress) end(f *ingest.ImportFile) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done.BytesRead += f.Bytes
	p.done.Read += f.Read
	p.done.Staged += f.Staged
	p.done.Rejected += f.Rejected
	p.ended = append(p.ended, *f)
	delete(p.under, f.Number)
}

// drop forgets a file that is to be read again.
func (p *progress) drop(number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.under, number)
}

// report returns what changed since the last report.
func (p *progress) report() ingest.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.done
	out.Files = p.ended
	for _, f := range p.under {
		out.BytesRead += f.Bytes
		out.Read += f.Read
		out.Staged += f.Staged
		out.Rejected += f.Rejected
		out.Files = append(out.Files, *f)
	}
	p.ended = nil
	return out
}

// saveProgress records how far the run is. Conflict if the import is no longer its own.
func (r *run) saveProgress(ctx context.Context) error {
	r.saving.Lock()
	defer r.saving.Unlock()
	return r.l.cfg.Ledger.SaveProgress(ctx, r.imp.ID, r.imp.Attempt, r.progress.report())
}

// startHeartbeat reports progress until ctx ends, and stops the run when the import is no longer its own. The returned
// channel is closed when it has ended.
func (r *run) startHeartbeat(ctx context.Context, stop context.CancelCauseFunc) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// Reported even when nothing changed: that is how a run in a long check learns that it was cancelled.
			err := r.saveProgress(ctx)
			if ingest.KindOf(err) == ingest.Conflict && err != nil {
				stop(err)
				return
			}
			if err != nil && ctx.Err() == nil {
				r.l.cfg.Logger.WarnContext(ctx, "progress was not saved", "import", r.imp.ID, "err", err)
			}
		}
	}()
	return ended
}
