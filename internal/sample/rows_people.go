package sample

// isOrganisation tells the two types of contact apart: each third one is an organisation.
func isOrganisation(c int64) bool { return c%3 == 0 }

// contactName is a contact's name as it is sorted.
func (p *plan) contactName(c int64) (first, last, sort string) {
	d := p.roll(contact, -1-c)
	if isOrganisation(c) {
		name := d.one(companyNames) + " " + d.one(companyKinds)
		return "", name, name
	}
	first, last = d.one(firstNames), d.one(lastNames)
	return first, last, last + ", " + first
}

func contactRow(p *plan, i int64, r *record) {
	d := p.roll(contact, i)
	first, last, sort := p.contactName(i)
	r.id(contact, i)
	if isOrganisation(i) {
		r.word("Organisation")
		r.none()
		r.none()
		r.none()
		r.text(last)
		r.text(sort)
		r.none()
		r.none()
	} else {
		r.word("Person")
		r.word(d.one([]string{"Ms", "Mr", "Mx", "Dr"}))
		r.text(first)
		r.text(last)
		r.none()
		r.text(sort)
		r.date(d.between(0, 11000))
		if d.chance(25) {
			r.id(contact, d.below(i/3+1)*3)
		} else {
			r.none()
		}
	}
	r.numbered("contact", i+1, 1)
	r.replace(len(r.ends)-1, string(r.value(len(r.ends)-1))+"@example.com")
	r.numbered("04", d.below(100000000), 8)
	if d.chance(10) {
		r.text("Prefers to be called after six, \"never\" before nine")
	} else {
		r.none()
	}
	r.yes(d.chance(97))
	p.audited(&d, firstDay+d.below(1800), r)
}

func contactAddressRow(p *plan, i int64, r *record) {
	d := p.roll(contactAddress, i)
	where := places[d.below(int64(len(places)))]
	r.id(contactAddress, i)
	r.id(contact, i%p.n[contact])
	r.word(d.one([]string{"Street", "Postal", "Billing"}))
	r.numbered(d.one(streets)+" ", d.between(1, 900), 1)
	if d.chance(20) {
		r.numbered("Level ", d.between(1, 40), 1)
	} else {
		r.none()
	}
	r.word(where.city)
	r.word(where.state)
	r.word(where.code)
	r.word(where.country)
	r.yes(i < p.n[contact])
}

func contactPointRow(p *plan, i int64, r *record) {
	d := p.roll(contactPoint, i)
	r.id(contactPoint, i)
	r.id(contact, i%p.n[contact])
	if d.chance(40) {
		r.word("Email")
		r.numbered("mail", i+1, 1)
		r.replace(len(r.ends)-1, string(r.value(len(r.ends)-1))+"@example.com")
	} else {
		r.word(d.one([]string{"Phone", "Mobile"}))
		r.numbered("02 9", d.below(10000000), 7)
	}
	r.word(d.one([]string{"Work", "Home", ""}))
	r.yes(i < p.n[contact])
}

func clientRow(p *plan, i int64, r *record) {
	d := p.roll(client, i)
	r.id(client, i)
	r.id(contact, i%p.n[contact])
	r.numbered("CL", i+1, 5)
	r.word("Active")
	p.ref(r, office, d.below(p.n[office]))
	p.ref(r, employee, p.earner(&d))
	r.word("AUD")
	r.word(d.one([]string{"7", "14", "30"}))
	if d.chance(30) {
		r.cents(d.between(10, 500) * 100000)
	} else {
		r.none()
	}
	r.date(firstDay - d.below(1000))
	p.audited(&d, firstDay+d.below(1800), r)
}

func supplierRow(p *plan, i int64, r *record) {
	d := p.roll(supplier, i)
	r.id(supplier, i)
	r.text(d.one(companyNames), " ", d.one([]string{"Searches", "Chambers", "Couriers", "Land Registry Services"}))
	if p.n[contact] > 0 && d.chance(40) {
		r.id(contact, d.below(p.n[contact]))
	} else {
		r.none()
	}
	r.numbered("S", i+1, 4)
	r.numbered("51 824 ", d.below(1000000), 6)
	r.word("GST")
	r.word("5000")
	r.word("30")
	r.numbered("032-", d.below(1000), 3)
	r.numbered("", d.between(100000, 999999), 6)
	r.yes(true)
}
