package sample

// span is the time in which a matter is worked on.
type span struct {
	opened, end int64
	closed      bool
}

func (p *plan) matterSpan(m int64) span {
	d := p.roll(matter, -1-m)
	s := span{opened: firstDay + d.below(lastDay-firstDay-200), end: lastDay}
	if d.chance(30) {
		s.closed = true
		s.end = s.opened + d.between(90, lastDay-s.opened)
	}
	return s
}

// at returns the day that is part/whole into the span.
func (s span) at(part, whole int64) int64 {
	return s.opened + (s.end-s.opened)*min(part, whole)/max(whole, 1)
}

// matterClient is the client of a matter.
func (p *plan) matterClient(m int64) int64 {
	d := p.roll(matter, -1-p.n[matter]-m)
	return d.below(p.n[client])
}

func matterRow(p *plan, i int64, r *record) {
	d := p.roll(matter, i)
	s := p.matterSpan(i)
	r.id(matter, i)
	r.numbered("M", i+1, 6)
	r.text(d.one(matterTitles), d.one(streets), ", ", places[d.below(int64(len(places)))].city)
	r.id(client, p.matterClient(i))
	p.ref(r, matterType, d.below(p.n[matterType]))
	p.ref(r, office, d.below(p.n[office]))
	p.ref(r, employee, p.earner(&d))
	p.ref(r, employee, p.earner(&d))
	switch {
	case s.closed:
		r.word(d.one([]string{"Closed", "Closed", "Archived"}))
	default:
		r.word(d.one([]string{"Open", "Open", "Open", "OnHold"}))
	}
	if d.chance(15) {
		r.word("FixedFee")
		r.cents(d.between(10, 90) * 10000)
	} else {
		r.word("Time")
		r.none()
	}
	r.cents(d.between(10, 400) * 10000)
	r.date(s.opened)
	if s.closed {
		r.date(s.end)
	} else {
		r.none()
	}
	if d.chance(30) {
		r.numbered("PO ", d.below(100000), 4)
	} else {
		r.none()
	}
	if d.chance(20) {
		r.text("House and land, settlement in six weeks;\nvendor's terms: \"as is\"")
	} else {
		r.none()
	}
	p.audited(&d, s.opened, r)
}

func matterPartyRow(p *plan, i int64, r *record) {
	d := p.roll(matterParty, i)
	r.id(matterParty, i)
	r.id(matter, i%p.n[matter])
	r.id(contact, d.below(p.n[contact]))
	r.word(d.one(partyRoles))
	if d.chance(40) {
		r.numbered("XY/", d.below(100000), 3)
	} else {
		r.none()
	}
	if d.chance(20) {
		r.text("Represented by Smith & Co, \"the usual team\"")
	} else {
		r.none()
	}
}

func matterRateRow(p *plan, i int64, r *record) {
	d := p.roll(matterRate, i)
	m := i % p.n[matter]
	s := p.matterSpan(m)
	r.id(matterRate, i)
	r.id(matter, m)
	p.ref(r, employee, p.earner(&d))
	p.ref(r, taskType, d.below(p.n[taskType]))
	r.cents(100 * (200 + 25*d.below(17)))
	r.date(s.opened)
	if s.closed {
		r.date(s.end)
	} else {
		r.none()
	}
}

func matterNoteRow(p *plan, i int64, r *record) {
	d := p.roll(matterNote, i)
	m := i % p.n[matter]
	s := p.matterSpan(m)
	day := s.at(d.below(100), 100)
	r.id(matterNote, i)
	r.id(matter, m)
	r.date(day)
	p.ref(r, employee, p.earner(&d))
	r.text(d.one(noteSubjects))
	r.text(d.one(noteTexts))
	r.yes(d.chance(10))
	p.audited(&d, day, r)
}
