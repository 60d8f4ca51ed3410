package mapping

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"dropline/schema"
)

// rowView shows the present record to expressions: as a map from headers to values, trimmed, and by the headers themselves where they
// can be names. It belongs to one Reader.
type rowView struct {
	r       *Reader
	fields  map[string]int // by header as it is written
	folded  map[string]int // by header, normalised
	lookups *lookupTables
	places  map[*fastField]int // fields by where expressions name them; -1: the file has none
	err     error              // of the present evaluation, which CEL cannot tell
}

func newRowView(r *Reader) *rowView {
	v := &rowView{r: r, fields: map[string]int{}, folded: map[string]int{}, places: map[*fastField]int{}, lookups: r.lookups}
	for i, h := range r.header {
		if _, there := v.fields[h]; !there && h != "" {
			v.fields[h] = i
		}
		if name := schema.NormalizeName(h); name != "" {
			if _, there := v.folded[name]; !there {
				v.folded[name] = i
			}
		}
	}
	return v
}

// find returns the field with a header: exactly, or but for case, spacing and punctuation.
func (v *rowView) find(name string) (int, bool) {
	i, ok := v.fields[name]
	if !ok {
		i, ok = v.folded[schema.NormalizeName(name)]
	}
	return i, ok
}

// text is a field's value, trimmed.
func (v *rowView) text(field int) string {
	r := v.r
	if field >= r.scan.count || field >= len(r.scan.fields) {
		return ""
	}
	text := trimSpace(r.text(r.scan.bytes(), &r.scan.fields[field], &r.convert.arena))
	if len(text) > maxExpressionText {
		v.err = fmt.Errorf("column %d has %d bytes, more than the %d that an expression may read", field+1, len(text), maxExpressionText)
		return ""
	}
	return string(text)
}

// ResolveName implements interpreter.Activation.
func (v *rowView) ResolveName(name string) (any, bool) {
	switch name {
	case rowVariable:
		return v, true
	case lookupsVariable:
		return v.lookups, true
	}
	if v.r.plan.split != nil {
		switch name {
		case partVariable:
			return types.String(v.r.division.text()), true
		case headerVariable:
			return types.String(v.r.division.header()), true
		case indexVariable:
			return types.Int(v.r.division.number()), true
		}
	}
	if field, ok := v.find(name); ok {
		return types.String(v.text(field)), true
	}
	return types.String(""), true // that the file lacks it is told in its notes
}

// Parent implements interpreter.Activation.
func (v *rowView) Parent() interpreter.Activation { return nil }

// Get implements traits.Indexer.
func (v *rowView) Get(key ref.Val) ref.Val {
	if value, ok := v.Find(key); ok {
		return value
	}
	return types.String("")
}

// Find implements traits.Mapper.
func (v *rowView) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key), false
	}
	field, ok := v.find(string(name))
	if !ok {
		return types.String(""), true
	}
	return types.String(v.text(field)), true
}

// Contains implements traits.Container.
func (v *rowView) Contains(key ref.Val) ref.Val {
	name, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key)
	}
	_, ok = v.find(string(name))
	return types.Bool(ok)
}

// Iterator implements traits.Iterable.
func (v *rowView) Iterator() interface {
	ref.Val
	HasNext() ref.Val
	Next() ref.Val
} {
	return types.NewDynamicList(types.DefaultTypeAdapter, v.r.header).Iterator()
}

// Size implements traits.Sizer.
func (v *rowView) Size() ref.Val { return types.Int(len(v.r.header)) }

// ConvertToNative implements ref.Val.
func (v *rowView) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a row cannot become a %s", t)
}

// ConvertToType implements ref.Val.
func (v *rowView) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("a row cannot become a %s", t.TypeName())
}

// Equal implements ref.Val.
func (v *rowView) Equal(other ref.Val) ref.Val { return types.Bool(v == other) }

// Type implements ref.Val.
func (v *rowView) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (v *rowView) Value() any { return v }
