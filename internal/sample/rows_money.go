package sample

func bankAccountRow(p *plan, i int64, r *record) {
	d := p.roll(bankAccount, i)
	kind := []string{"Office", "Trust", "ControlledMoney"}[i%3]
	r.id(bankAccount, i)
	r.numbered([]string{"Office account ", "General trust account ", "Controlled money "}[i%3], i/3+1, 1)
	r.word(kind)
	r.word([]string{"1010", "1900", "1910"}[i%3])
	p.ref(r, office, d.below(p.n[office]))
	r.word("Westpac")
	r.numbered("032-", d.below(1000), 3)
	r.numbered("", d.between(100000, 999999), 6)
	r.word("AUD")
	r.yes(true)
}

// trustGroup is how many trust transactions hang together: a receipt, a payment from it, a transfer to another matter in
// two rows, a payment from that, and another receipt. Each group by itself never takes a ledger below zero, so neither do
// they together. A last group that is not whole consists of receipts.
const trustGroup = 6

func trustTransactionRow(p *plan, i int64, r *record) {
	g, place := i/trustGroup, i%trustGroup
	d := p.roll(trustTransaction, -1-g)
	from, _ := p.shuffle.parent(g)
	to := (from + 1) % p.n[matter]
	s := p.matterSpan(from)
	day := s.at(d.below(90), 100)
	held := 100000 * d.between(1, 80) // cents
	if (g+1)*trustGroup > p.n[trustTransaction] {
		place = 0
	}
	kind, of, amount := "Receipt", from, held
	switch place {
	case 1:
		kind, amount, day = "Payment", held/10*3, day+5
	case 2:
		kind, amount, day = "TransferOut", held/5, day+7
	case 3:
		kind, of, amount, day = "TransferIn", to, held/5, day+7
	case 4:
		kind, of, amount, day = "Payment", to, held/10, day+9
	case 5:
		amount, day = held/2, day+9
	}
	own := p.roll(trustTransaction, i)
	r.id(trustTransaction, i)
	r.date(day)
	r.word(kind)
	r.id(matter, of)
	r.cents(amount)
	p.ref(r, bankAccount, min(1, max(p.n[bankAccount]-1, 0)))
	r.numbered("TR-", i+1, 6)
	if kind == "TransferIn" {
		r.id(trustTransaction, i-1)
	} else {
		r.none()
	}
	first, last := own.one(firstNames), own.one(lastNames)
	r.text(first, " ", last)
	r.word(own.one(payments))
	r.text(own.one([]string{"Deposit on purchase", "On account of costs", "Settlement, balance", "Stamp duty"}))
	p.audited(&own, day, r)
}

func ledgerEntryRow(p *plan, i int64, r *record) {
	d := p.roll(ledgerEntry, i)
	day := firstDay + (lastDay-firstDay)*i/max(p.n[ledgerEntry], 1)
	r.id(ledgerEntry, i)
	r.date(day)
	r.word("OFFICE")
	r.numbered("GL-", i+1, 6)
	r.text(d.one(ledgerTexts))
	r.none()
	r.word("Posted")
	p.ref(r, office, d.below(p.n[office]))
	p.audited(&d, day, r)
}

// debit is the amount of a line of entry k that is not its last.
func (p *plan) debit(i int64) int64 {
	d := p.roll(ledgerLine, -1-i)
	return d.between(1000, 500000)
}

func ledgerLineRow(p *plan, i int64, r *record) {
	k := i * p.n[ledgerEntry] / p.n[ledgerLine]
	from, to := part(k, p.n[ledgerLine], p.n[ledgerEntry])
	d := p.roll(ledgerLine, i)
	r.id(ledgerLine, i)
	r.id(ledgerEntry, k)
	if i == to-1 {
		r.word("1010")
	} else {
		r.word(d.one(ledgerAccounts))
	}
	r.integer(i - from + 1)
	if i < to-1 {
		r.cents(p.debit(i))
		r.none()
	} else {
		var sum int64
		for other := from; other < to-1; other++ {
			sum += p.debit(other)
		}
		r.none()
		r.cents(sum)
	}
	r.word("NONE")
	r.text(d.one(ledgerTexts))
}

// opening is one opening balance.
type opening struct {
	account string
	matter  int64 // or -1
	amount  int64 // cents, of a credit below zero
}

// opening returns balance i. The first is what keeps the others in balance, the next are those of the balance sheet, each
// on its own side, and the rest what clients owe.
func (p *plan) opening(i int64) opening {
	if i == 0 {
		var sum int64
		for other := range p.n[openingBalance] - 1 {
			sum += p.opening(other + 1).amount
		}
		return opening{account: "3900", matter: -1, amount: -sum}
	}
	d := p.roll(openingBalance, -1-i)
	amount := d.between(10000, 900000)
	at, debits := i-1, int64(len(debitAccounts))
	sheet := debits + int64(len(creditAccounts))
	switch {
	case at >= sheet && p.n[matter] > 0:
		return opening{account: "1100", matter: (at - sheet) % p.n[matter], amount: amount}
	case at%sheet < debits:
		return opening{account: debitAccounts[at%sheet], matter: -1, amount: amount}
	default:
		return opening{account: creditAccounts[at%sheet-debits], matter: -1, amount: -amount}
	}
}

func openingBalanceRow(p *plan, i int64, r *record) {
	o := p.opening(i)
	r.id(openingBalance, i)
	r.date(firstDay - 1)
	if o.matter < 0 {
		r.word("Ledger")
		r.word(o.account)
		r.none()
	} else {
		r.word("Debtor")
		r.word(o.account)
		r.id(matter, o.matter)
	}
	if o.amount >= 0 {
		r.cents(o.amount)
		r.none()
	} else {
		r.none()
		r.cents(-o.amount)
	}
	r.word("Brought forward")
}
