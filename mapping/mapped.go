package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"dropline/ingest"
	"dropline/schema"
)

// mapped sets a value about which the mapping says more than where it is.
func (r *Reader) mapped(in *input, record []byte, v *ingest.Value) {
	if rule := in.rule; rule != nil {
		switch rule.combine {
		case multiplied:
			r.product(in, record, v)
			return
		case computed:
			r.computed(in, v)
			return
		case hashed:
			r.hash(in, record, v)
			return
		case firstPresent, joined, fixed:
		}
	}
	raw := r.origin(in, record)
	r.dressed(in, raw, raw, v)
}

// dressed sets a value from text, which is as received or was made of what was received: trimmed, looked up, and converted.
func (r *Reader) dressed(in *input, text, raw []byte, v *ingest.Value) {
	rule := in.rule
	text = in.trimmed(text)
	if in.isNull(text) {
		text = nil
	}
	if rule != nil && rule.lookup != "" && len(text) > 0 {
		value, ok := r.lookUpIn(rule.lookup, text)
		switch {
		case ok:
			text = value
		case in.otherwise != nil && in.otherwise.Null:
			r.absent(in, raw, v)
			return
		case in.otherwise != nil:
			*v = *in.otherwise
			v.Raw = raw
			return
		case !rule.keep:
			*v = ingest.Value{Null: true, Raw: raw}
			r.faultWith(in, ingest.CodeNotMember, fmt.Sprintf("the lookup %s has nothing for %q", rule.lookup, printable(text, 100)), raw)
			return
		}
	}
	if in.values != nil {
		if found, ok := r.lookUp(in, text); ok {
			if found.Null {
				r.absent(in, raw, v)
				return
			}
			*v = found
			v.Raw = raw
			return
		}
		if len(text) > 0 && !rule.keep {
			if in.otherwise == nil {
				*v = ingest.Value{Null: true, Raw: raw}
				r.fault(in, ingest.CodeNotMember, raw, text)
				return
			}
			if in.otherwise.Null {
				r.absent(in, raw, v)
				return
			}
			*v = *in.otherwise
			v.Raw = raw
			return
		}
	}
	if len(text) == 0 {
		r.absent(in, raw, v)
		return
	}
	text = r.dress(in, text)
	v.Null, v.Raw = false, raw
	if code := r.convert.convert(&in.target, text, v); code != "" {
		v.Null = true
		r.fault(in, code, raw, text)
	}
}

// absent sets the value of a column for which the record has none.
func (r *Reader) absent(in *input, raw []byte, v *ingest.Value) {
	if in.fallback != nil {
		*v = *in.fallback
		v.Raw = raw
		return
	}
	*v = ingest.Value{Null: true, Raw: raw}
	if in.column.Required {
		r.fault(in, ingest.CodeRequired, raw, nil)
	}
}

// origin is the text of the column's field, or of its fields joined.
func (r *Reader) origin(in *input, record []byte) []byte {
	arena := &r.convert.arena
	if in.rule == nil || in.rule.combine != joined {
		return r.fieldText(record, in.fields[0])
	}
	r.parts = r.parts[:0] // all of them first: those of another encoding are decoded into the arena
	for _, f := range in.fields {
		r.parts = append(r.parts, r.fieldText(record, f))
	}
	start := len(*arena)
	for _, part := range r.parts {
		if in.rule.trim != trimNone {
			part = trimSpace(part)
		}
		if in.isNull(part) {
			continue
		}
		if len(*arena) > start {
			*arena = append(*arena, in.rule.separator...)
		}
		*arena = append(*arena, part...)
	}
	return (*arena)[start:]
}

// fieldText is the text of a field, or of what stands for a part of the record.
func (r *Reader) fieldText(record []byte, field int) []byte {
	if field < 0 {
		return r.division.field(field)
	}
	return r.text(record, &r.scan.fields[field], &r.convert.arena)
}

// lookUpIn finds a text in one of the mapping's lookup tables, whatever its case.
func (r *Reader) lookUpIn(name string, text []byte) ([]byte, bool) {
	start := len(r.convert.arena)
	r.convert.arena = lowerInto(r.convert.arena, text)
	value, ok := r.lookups.tables[name][string(r.convert.arena[start:])]
	r.convert.arena = append(r.convert.arena[:start], value...)
	return r.convert.arena[start:], ok
}

// hash makes a key of fields that have none: the same for the same values, whatever the case and the white space around them.
func (r *Reader) hash(in *input, record []byte, v *ingest.Value) {
	c := r.convert
	any := false
	r.parts = r.parts[:0] // all of them first: those of another encoding are decoded into the arena
	for _, f := range in.fields {
		r.parts = append(r.parts, trimSpace(r.fieldText(record, f)))
	}
	start := len(c.arena)
	for _, text := range r.parts {
		any = any || len(text) > 0
		c.arena = append(lowerInto(c.arena, text), unitSeparator)
	}
	if !any {
		r.absent(in, nil, v)
		return
	}
	sum := sha256.Sum256(c.arena[start:])
	c.arena = hex.AppendEncode(c.arena[:start], sum[:hashBytes])
	r.dressed(in, c.arena[start:], nil, v)
}

// hashBytes of a SHA-256 make a key: enough that no two rows of a client share one by chance.
const hashBytes = 16

// trimmed cuts off the white space that the column does not keep.
func (in *input) trimmed(text []byte) []byte {
	if in.rule == nil {
		return trimSpace(text)
	}
	short := trimSpace(text)
	if len(short) == 0 && in.rule.trim != trimNone {
		return nil
	}
	switch in.rule.trim {
	case trimNone:
		return text
	case trimLeft:
		return trimLeading(text)
	case trimRight:
		return trimTrailing(text)
	case trimBoth:
	}
	return short
}

// isNull reports whether text stands for an absent value.
func (in *input) isNull(text []byte) bool {
	if len(text) == 0 {
		return true
	}
	for _, n := range in.nulls {
		if string(text) == n {
			return true
		}
	}
	return false
}

// lookUp finds a text in the mapping's value table, whatever its case and the white space around it.
func (r *Reader) lookUp(in *input, text []byte) (ingest.Value, bool) {
	start := len(r.convert.arena)
	r.convert.arena = lowerInto(r.convert.arena, trimSpace(text))
	v, ok := in.values[string(r.convert.arena[start:])]
	r.convert.arena = r.convert.arena[:start]
	return v, ok
}

// dress changes the case and puts the prefix before a value. A production id has none.
func (r *Reader) dress(in *input, text []byte) []byte {
	rule := in.rule
	if rule == nil || rule.letters == caseKept && rule.prefix == "" {
		return text
	}
	if in.column.IsReferenceList() {
		return r.dressItems(in, text)
	}
	if in.column.References != nil {
		if _, is := r.convert.productionID(text); is {
			return text
		}
	}
	start := len(r.convert.arena)
	switch rule.letters {
	case caseLower:
		r.convert.arena = lowerInto(append(r.convert.arena, rule.prefix...), text)
	case caseUpper:
		r.convert.arena = upperInto(append(r.convert.arena, rule.prefix...), text)
	case caseKept:
		r.convert.arena = append(append(r.convert.arena, rule.prefix...), text...)
	}
	return r.convert.arena[start:]
}

// product multiplies the column's fields, exactly. If one is absent, so is the product.
func (r *Reader) product(in *input, record []byte, v *ingest.Value) {
	c := r.convert
	result := number{digits: []byte("1")}
	*v = ingest.Value{}
	for _, f := range in.fields {
		raw := r.text(record, &r.scan.fields[f], &c.arena)
		text := trimSpace(raw)
		if in.isNull(text) {
			r.absent(in, nil, v)
			return
		}
		factor, arena, ok := parseNumber(text, in.number, c.arena)
		c.arena = arena
		code := ingest.CodeNotNumber
		if ok && len(factor.digits)+len(result.digits) > maxFactorDigits {
			code, ok = ingest.CodeOutOfRange, false
		}
		if !ok {
			v.Null = true
			r.fault(in, code, raw, text)
			return
		}
		c.arena = result.times(factor, c.arena)
	}
	code := ""
	if in.column.Kind != schema.Decimal {
		code = c.setInteger(&in.target, &result, v)
	} else {
		code = c.setDecimal(&in.target, &result, v)
	}
	if code != "" {
		v.Null = true
		text := result.appendTo(nil)
		r.fault(in, code, text, text)
	}
}
