package push

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"

	"dropline/ingest"
	"dropline/ingest/mssql"
	"dropline/loader"
)

// longestChain is from how many imports one after the other a relation may be put together before it is read whole again.
const longestChain = 50

// deliver has the server make an import of what is there.
func (p *pusher) deliver(ctx context.Context) error {
	run := p.state.Run
	if len(run.Files) > ingest.MaxBatchFiles {
		return ingest.WithHint(ingest.Errorf(ingest.Exhausted, "push.deliver", "there are %d files, more than the %d that can be delivered together",
			len(run.Files), ingest.MaxBatchFiles), "make the parts larger, --part-rows, and begin anew, --restart")
	}
	if len(run.Files) == 0 {
		p.summarize(run)
		p.result.NothingNew = true
		p.state.Run = nil
		return p.store.save(p.state)
	}
	if run.Key == "" {
		err := p.cfg.again(ctx, func() (err error) {
			run.After, err = p.to.mark(ctx)
			return err
		})
		if err != nil {
			return err
		}
		run.Key = rand.Text()
		if err := p.store.save(p.state); err != nil {
			return err
		}
	}
	slices.SortStableFunc(run.Files, func(a, b File) int { return run.order(a.Relation) - run.order(b.Relation) })
	var done delivery
	err := p.cfg.again(ctx, func() (err error) {
		done, err = p.to.deliver(ctx, run)
		return err
	})
	if err != nil {
		return err
	}
	p.summarize(run)
	p.result.RequestID = done.Import
	if done.Told {
		p.result.NothingNew = done.Import == "" || done.Duplicates == len(run.Files)
	} else if p.same(run) {
		p.note("every file equals the one delivered last: the server loads them again only if those have been taken back since, or rows of them were refused")
		p.result.NothingNew = true
	}
	return p.remember(run, &done)
}

// order is a relation's place in the plan: what others refer to comes first there.
func (r *running) order(name string) int {
	return slices.IndexFunc(r.Plan.Relations, func(rel ingest.PlannedRelation) bool { return rel.Name == name })
}

// same reports whether a run's files are those of the last.
func (p *pusher) same(run *running) bool {
	return !slices.ContainsFunc(run.Files, func(f File) bool { return p.state.Sent[f.Name] != f.SHA256 })
}

// remember keeps what the next run needs to know of this one.
func (p *pusher) remember(run *running, done *delivery) error {
	next := &pending{
		Import: done.Import, After: run.After, Files: map[string][]string{}, Marks: map[string]mark{}, Sums: map[string]string{}, Through: p.cfg.Clock().UTC(),
	}
	if p.state.Sent == nil {
		p.state.Sent = map[string]string{}
	}
	for _, f := range run.Files {
		p.state.Sent[f.Name], next.Sums[f.Name] = f.SHA256, f.SHA256
		next.Files[f.Relation] = append(next.Files[f.Relation], f.Name)
	}
	for name, m := range loader.Marks(run.Plan, nil, p.cfg.Clock()) {
		if len(next.Files[name]) == 0 {
			continue // nothing was sent of it: it is as far as it was
		}
		next.Marks[name] = mark{SourceMark: m}
		if run.relation(name).Since == "" {
			next.Whole = append(next.Whole, name)
		}
	}
	if !p.result.NothingNew || p.state.Pending == nil {
		p.state.Pending = next
	}
	p.state.Run = nil
	return p.store.save(p.state)
}

// marks are from where relations are read, nil for all from their beginnings.
func (p *pusher) marks(ctx context.Context) (map[string]ingest.SourceMark, error) {
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	if !p.cfg.Changes {
		return nil, p.store.save(p.state)
	}
	lives, err := p.living(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]ingest.SourceMark{}
	for name, m := range p.state.Marks {
		dead := slices.IndexFunc(m.Imports, func(id string) bool { return !lives[id] })
		switch {
		case dead >= 0:
			p.note(fmt.Sprintf("%s is read whole, as %s is not in staging or production any more", name, m.Imports[dead]))
		case len(m.Imports) >= longestChain:
			p.note(fmt.Sprintf("%s is read whole, as it is %d imports since that was done last", name, len(m.Imports)))
		default:
			out[name] = m.SourceMark
			continue
		}
		delete(p.state.Marks, name)
	}
	if len(out) == 0 && len(p.result.Notes) == 0 {
		p.note("nothing is known to be imported yet: everything is read")
	}
	return out, p.store.save(p.state)
}

// settle finds out what became of what was delivered last, and moves the marks on.
func (p *pusher) settle(ctx context.Context) error {
	last := p.state.Pending
	if last == nil {
		return nil
	}
	var became outcome
	err := p.cfg.again(ctx, func() (err error) {
		became, err = p.to.outcome(ctx, last)
		return err
	})
	if err != nil {
		return err
	}
	if !became.Known {
		if !p.cfg.Changes {
			return nil
		}
		p.note("how far the last delivery got is not known: what has changed since the one before is read. " + became.Why)
		return nil
	}
	if p.cfg.Changes && became.State != "" && !living(became.State) {
		p.note("the last delivery is " + became.State + ": what has changed since the one before is read")
	}
	if p.state.Marks == nil {
		p.state.Marks = map[string]mark{}
	}
	for _, name := range slices.Sorted(maps.Keys(last.Marks)) {
		if slices.ContainsFunc(last.Files[name], func(file string) bool { return !became.Staged[file] }) {
			continue // it is read from where it was before
		}
		next := last.Marks[name]
		if !slices.Contains(last.Whole, name) {
			next.Imports = append(next.Imports, p.state.Marks[name].Imports...)
		}
		if became.Import != "" {
			next.Imports = append(next.Imports, became.Import)
		}
		p.state.Marks[name] = next
	}
	p.state.Pending = nil
	return nil
}

// living tells which imports of the marks are in staging or production, and shortens the marks' lists: what was promoted
// before another is taken back after it at the earliest.
func (p *pusher) living(ctx context.Context) (map[string]bool, error) {
	lives, promoted := map[string]bool{}, map[string]bool{}
	for _, m := range p.state.Marks {
		for _, id := range m.Imports {
			if _, asked := lives[id]; asked {
				continue
			}
			err := p.cfg.again(ctx, func() (err error) {
				lives[id], promoted[id], err = p.to.alive(ctx, id)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	for name, m := range p.state.Marks {
		newest := -1
		for i, id := range m.Imports {
			if promoted[id] {
				newest = i
			}
		}
		m.Imports = slices.DeleteFunc(slices.Clone(m.Imports), func(id string) bool {
			i := slices.Index(m.Imports, id)
			return i < newest && promoted[id]
		})
		p.state.Marks[name] = m
	}
	return lives, nil
}

// summarize completes the result.
func (p *pusher) summarize(run *running) {
	r := &p.result
	r.Batch, r.Snapshots, r.Isolation, r.IsolationNote = string(run.Batch), run.Snapshots, run.Plan.Isolation, run.Plan.IsolationNote
	r.Missing = append(r.Missing, run.Plan.Missing...)
	for _, rel := range run.Plan.Relations {
		out := Relation{Name: rel.Name, Table: rel.Table, Since: rel.Since, Ignored: rel.Ignored}
		for _, f := range run.Files {
			if f.Relation == rel.Name {
				out.Rows, out.Files, out.Bytes = out.Rows+f.Rows, out.Files+1, out.Bytes+f.Size
			}
		}
		r.Relations = append(r.Relations, out)
		r.Rows, r.Files, r.Bytes = r.Rows+out.Rows, r.Files+out.Files, r.Bytes+out.Bytes
	}
	for _, note := range run.Plan.Notes {
		if !slices.Contains(r.Notes, note) {
			r.Notes = append(r.Notes, note)
		}
	}
	if run.Snapshots > 1 {
		r.Notes = append(r.Notes, fmt.Sprintf(
			"it was read under %d snapshots, as the connection broke or the run was interrupted in between: the rows are not all of one moment", run.Snapshots))
	} else if p.result.Resumed && run.Plan.Isolation != mssql.IsolationSnapshot {
		r.Notes = append(r.Notes, "it was read in more than one run and not under a snapshot: the rows are not all of one moment")
	}
}
