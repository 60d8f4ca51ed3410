package push

import (
	"context"
	"errors"
	"io"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/loader"
)

// sourceTries is how many connections to the database may break in a row without a part read to its end, as at the server.
const sourceTries = 5

// readRelation sends a relation part by part. A part whose connection broke, be it to the database or to the server, is read
// again from its beginning.
func (p *pusher) readRelation(ctx context.Context, rel *ingest.PlannedRelation, snapshots int) error {
	source, server := patience{sourceTries, p.cfg.Wait}, p.cfg.patience()
	for !rel.Done {
		err := p.sendPart(ctx, rel, snapshots)
		var passes *passing
		switch {
		case err == nil:
			source, server = patience{sourceTries, p.cfg.Wait}, p.cfg.patience()
		case ctx.Err() != nil:
			return err
		case errors.As(err, &passes):
			if !server.bears(ctx, err) {
				return err
			}
			p.cfg.tell(rel.Name + ": sending it again: " + told(err))
		case mssql.IsLost(err):
			if !source.bears(ctx, err) {
				return err
			}
			p.cfg.tell(rel.Name + ": reading it again: " + told(err))
		default:
			return err
		}
	}
	return nil
}

// sendPart reads the next part of a relation and sends it.
func (p *pusher) sendPart(ctx context.Context, rel *ingest.PlannedRelation, snapshots int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	run := p.state.Run
	name := fileName(rel, rel.Parts+1)
	if rel.Parts >= ingest.MaxBatchFiles {
		return ingest.WithHint(ingest.Errorf(ingest.Exhausted, "push.sendPart", "%s has more than %d parts", rel.Name, ingest.MaxBatchFiles),
			"make them larger: --part-rows")
	}
	up := newUpload(&p.cfg, func(body io.Reader) (held, error) { return p.to.send(ctx, string(run.Batch), name, body) })
	request := loader.RequestFor(rel)
	if rel.Key != "" {
		request.Limit = p.client.PartRows()
	}
	read := int64(0)
	result, err := p.client.Read(ctx, request, up, func(rows int64) { p.progress(rel, rows, &read) })
	if err != nil && up.failed() == nil && rel.Key != "" && result.Last != "" && mssql.IsLost(err) && ctx.Err() == nil {
		// The rows that came are whole: they make a shorter part, and the next goes on after them.
		p.cfg.tell(rel.Name + ": the connection broke, what came is kept: " + told(err))
		result.More, err = true, nil
	}
	if err == nil {
		p.progress(rel, result.Rows, &read)
		err = p.finish(up, rel, name, &result, snapshots)
	} else if refusal := up.abandon(false); refusal != nil {
		err = refusal // the reading ended for it
	}
	if err != nil {
		p.unread(read)
	}
	return err
}

// finish completes a part that has been read.
func (p *pusher) finish(up *upload, rel *ingest.PlannedRelation, name string, result *mssql.PartResult, snapshots int) error {
	advanced := *rel
	loader.Advance(&advanced, result)
	e := ended{After: advanced.After, Mark: advanced.Mark, More: !advanced.Done, Notes: result.Notes}
	e.Relation, e.Rows = rel.Name, result.Rows
	nothing := result.Rows == 0 && (rel.Since != "" || rel.Parts > 0)
	if nothing && up.packed == nil && !p.stale[name] {
		return p.record(&e, snapshots)
	}
	whole, err := up.seal()
	if err == nil {
		e.Name, e.Size, e.SHA256 = name, whole.Size, whole.SHA256
		err = p.announce(&e)
	}
	if err != nil {
		if refusal := up.abandon(true); refusal != nil {
			err = refusal
		}
		return err
	}
	if err := up.commit(whole); err != nil {
		return err
	}
	return p.record(&e, snapshots)
}

// announce notes that a part is about to be complete: should this process end before the server's answer, the next one knows
// what it finds there.
func (p *pusher) announce(e *ended) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.Run.Ending == nil {
		p.state.Run.Ending = map[string]ended{}
	}
	p.state.Run.Ending[e.Name] = *e
	return p.store.save(p.state)
}

// record counts a part as delivered.
func (p *pusher) record(e *ended, snapshots int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	run := p.state.Run
	run.take(e)
	run.Snapshots = snapshots + p.client.Snapshots()
	return p.store.save(p.state)
}

// progress tells how far the reading is. Read is what has been told of the part before.
func (p *pusher) progress(rel *ingest.PlannedRelation, rows int64, read *int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total += rows - *read
	*read = rows
	if p.cfg.Progress != nil {
		p.cfg.Progress(Progress{Relation: rel.Name, Rows: rows, Total: p.total, Expected: p.state.Run.Plan.Rows()})
	}
}

// unread takes rows back that are to be read again.
func (p *pusher) unread(rows int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total -= rows
}
