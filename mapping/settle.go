package mapping

import (
	"context"
	"io"
)

// rowsPerLook is how many rows are read between two looks at whether to go on.
const rowsPerLook = 10_000

// Opened is a Reader together with the text that it reads.
type Opened struct {
	*Reader
	Text io.ReadCloser
}

// Close ends the reading.
func (o *Opened) Close() error { return o.Text.Close() }

// OpenSettled opens a file such that what its beginning leaves open about its columns (whether the day or the month comes first in
// its dates, say) is settled by all of it: where there is such a question the file is read once more, as far as what settles it.
// open is called once for most files. Errors are OpenFile's, and open's own.
func (m *Mapper) OpenSettled(ctx context.Context, f File, open func() (io.ReadCloser, error)) (*Opened, error) {
	for asked := false; ; {
		text, err := open()
		if err != nil {
			return nil, err
		}
		o := &Opened{Text: text}
		if o.Reader, err = m.OpenFile(f, text); err != nil {
			_ = text.Close() // nothing depends on it
			return nil, err
		}
		if asked || !o.undecided() {
			return o, nil
		}
		known, err := o.ask(ctx)
		_ = text.Close() // nothing depends on it
		if err != nil {
			return nil, err
		}
		if known == nil {
			asked = true // nothing in the file settles it: what is in doubt is refused
			continue
		}
		f.Known = known
	}
}

// ask reads rows until one of them settles what is in question, or to the end.
func (o *Opened) ask(ctx context.Context) (*Known, error) {
	for n := 1; o.Next(); n++ {
		if t := o.convert.settled; t != nil {
			return o.known(t), nil
		}
		if n%rowsPerLook == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return nil, nil // an error of the text comes again when it is read
}

// undecided reports whether the beginning of the file leaves something open that the rest may settle.
func (r *Reader) undecided() bool { return len(r.open) > 0 && !r.whole }

// known is what was known before, and what the last value of a column has settled.
func (r *Reader) known(t *target) *Known {
	k := &Known{Orders: map[string]dayOrder{t.column.Name: r.convert.order}, Lines: map[string]int64{t.column.Name: r.row.Line}}
	if r.before != nil {
		for name, o := range r.before.Orders {
			k.Orders[name], k.Lines[name] = o, r.before.Lines[name]
		}
	}
	return k
}
