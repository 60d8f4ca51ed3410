package loader

import (
	"bytes"
	"context"
	"io"
	"strings"
	"unicode/utf8"

	"dropline/ingest"
	"dropline/mapping"
	"dropline/schema"
)

// received finds references as the files have them, for rejects and warnings of the set checks: staging knows only what they
// stand for. It reads a file a second time, as far as the records asked for, and goes on from one to the next; they are
// told file by file in the order of their records.
type received struct {
	run  *run
	file int // number of the file that is open, 0 for none
	body io.Closer
	rows *mapping.Reader
}

// fill completes a reject with the value that it is about, if that is a reference.
func (v *received) fill(ctx context.Context, reject *ingest.Reject) error {
	table := v.run.target.Schema.Table(reject.Table)
	if table == nil || reject.Value != "" {
		return nil
	}
	column := table.Column(reject.Column)
	if column == nil || column.References == nil {
		return nil
	}
	if v.rows == nil || v.file != reject.FileNumber || v.rows.Row().Record > reject.Record {
		if err := v.open(ctx, reject.FileNumber); err != nil {
			return err
		}
	}
	for v.rows.Row().Record < reject.Record {
		if !v.rows.Next() {
			if err := v.rows.Err(); err != nil {
				return err
			}
			return ingest.Errorf(ingest.Internal, "loader.received", "%s has no record %d any more", reject.File, reject.Record)
		}
	}
	if value := &v.rows.Row().Values[column.Index]; !value.Null {
		reject.Value = asReceived(value)
		if column.Kind == schema.List {
			v.nameItem(reject, column, value.Text)
		}
	}
	return nil
}

// nameItem puts what the file has in the place of the production id by which the set checks know the item of a list that is missing.
func (v *received) nameItem(reject *ingest.Reject, column *schema.Column, list []byte) {
	for item := range bytes.SplitSeq(list, []byte(column.Separator)) {
		id := schema.ObjectID(string(v.run.imp.Tenant), column.References.Prefix, string(item))
		if strings.Contains(reject.Message, id) {
			reject.Message = strings.Replace(reject.Message, id, ingest.CutText(string(item), ingest.MaxRejectValue), 1)
			return
		}
	}
}

func (v *received) open(ctx context.Context, number int) error {
	const op = "loader.received"
	v.close()
	f := v.run.file(number)
	if f == nil {
		return ingest.Errorf(ingest.Internal, op, "the import has no file %d", number)
	}
	file, err := v.run.openFile(ctx, f)
	if err != nil {
		if refusalOf(err) != nil {
			err = ingest.E(ingest.Internal, op, err) // it was read before
		}
		return err
	}
	v.file, v.rows, v.body = number, file.Reader, file
	return nil
}

func (v *received) close() {
	if v.body != nil {
		_ = v.body.Close() // read as far as was wanted: nothing depends on it
	}
	v.body, v.rows, v.file = nil, nil, 0
}

// asReceived is a value as it was received, if that can be told as text, else as it was understood.
func asReceived(v *ingest.Value) string {
	raw := v.Raw
	if len(raw) == 0 || bytes.IndexByte(raw, 0) >= 0 || !utf8.Valid(raw) {
		raw = v.Text
	}
	return ingest.CutText(string(raw), ingest.MaxRejectValue)
}
