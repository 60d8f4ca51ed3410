package main

import (
	"context"
	"errors"
	"io"
	"os"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/mapping/suggest"
	"dropline/mapping/unpack"
)

// mappingSuggestCmd drafts a mapping.
type mappingSuggestCmd struct {
	Files []string `arg:"" help:"Files or directories." name:"file" placeholder:"FILE"`
	Out   string   `help:"Write the draft to this file." placeholder:"FILE"`
	schemaChoice
}

// Help is kong's long text.
func (mappingSuggestCmd) Help() string {
	return `Drafts a mapping for files that nobody has mapped, without a server: which file is of which table, and which header feeds which
column, by their names, by what the schema knows other systems to call them, and by the values. Each line has a confidence from 0 to 1
and a reason as its comment; from 0.9 on it is right as far as can be told. What is left open stands at the end. Look at the draft, mend
it, and try it with dropline check --mapping.

Examples:

  dropline mapping suggest export --out acme.yaml
  dropline check export --mapping acme.yaml
  dropline mapping suggest Customers.xlsx --json | jq .open`
}

// Run carries the command out.
func (m *mappingSuggestCmd) Run(a *app) error {
	s, err := m.choose(a)
	if err != nil {
		return err
	}
	ck := &checker{schema: s, unpacker: unpack.New(unpack.Config{})}
	if ck.mapper, err = mapping.New(s, nil, mapping.Options{}); err != nil {
		return err
	}
	named, err := namedFiles(m.Files)
	if err != nil {
		return err
	}
	for _, path := range named {
		if err := ck.addFiles(path); err != nil {
			return err
		}
	}
	if err := ck.spread(a.ctx); err != nil {
		return err
	}
	proposal, err := suggest.Propose(a.ctx, s, ck.suggested())
	if err != nil {
		return err
	}
	if m.Out != "" && len(proposal.YAML) > 0 {
		if err := os.WriteFile(m.Out, proposal.YAML, 0o644); err != nil { //nolint:gosec // a draft is no secret
			return err
		}
	}
	err = a.emit(proposalView{string(proposal.YAML), proposal.Lines, proposal.Open, proposal.Clear}, func(w io.Writer) {
		switch {
		case len(proposal.YAML) == 0:
		case m.Out == "":
			_, _ = w.Write(proposal.YAML)
			return
		default:
			put(w, "%s: %s, %s\n", m.Out, plural(int64(len(proposal.Lines)), "line", "lines"), plural(int64(len(proposal.Open)), "question", "questions"))
		}
		rows := make([][]string, 0, len(proposal.Open))
		for _, q := range proposal.Open {
			rows = append(rows, []string{printable(q.File, maxText), q.Table, q.Column, printable(q.Header, maxText), q.Text})
		}
		if len(rows) > 0 {
			table(w, []string{"FILE", "TABLE", "COLUMN", "HEADER", "OPEN"}, rows)
		}
	})
	if err == nil && len(proposal.YAML) == 0 {
		return &failure{
			message: "there is nothing to propose: no file is like a table of " + s.ID(),
			hint:    "choose another schema with --schema, or write the mapping by hand: see dropline schema and docs/mapping.md",
			status:  exitFaults,
		}
	}
	return err
}

// proposalView is a proposal as programs read it.
type proposalView struct {
	YAML  string             `json:"yaml"`
	Lines []suggest.Line     `json:"lines"`
	Open  []suggest.Question `json:"open"`
	Clear bool               `json:"clear"`
}

// suggested are the checker's files as a proposal looks at them.
func (c *checker) suggested() []suggest.File {
	var out []suggest.File
	for _, f := range c.files {
		if f.Code != "" {
			refusal := &ingest.FileRefusal{Code: f.Code, Message: f.Error}
			out = append(out, suggest.File{Path: f.inbox, Open: func(context.Context) (io.ReadCloser, error) { return nil, refusal }})
			continue
		}
		out = append(out, suggest.File{Path: f.inbox, Exact: f.exact, Open: func(ctx context.Context) (io.ReadCloser, error) {
			pack, err := c.unpack(ctx, f)
			if err != nil {
				return nil, err
			}
			text, err := pack.Text(ctx, f.member)
			if err != nil {
				return nil, errors.Join(err, pack.Close())
			}
			return &packedText{text, pack}, nil
		}})
	}
	return out
}

// packedText is a text and the package that it is in.
type packedText struct {
	*unpack.Text
	pack *unpack.Package
}

// Close implements io.Closer.
func (t *packedText) Close() error { return errors.Join(t.Text.Close(), t.pack.Close()) }
