package portable

// finish puts together what the sections of an account have said.
func (r *reader) finish() {
	if r.a.Parcel.Roster != nil {
		r.finishRoster()
	}
	r.finishPrivate()
	r.finishLists()
	r.finishPEP()
	if len(r.a.Parcel.VCard) == 0 && !r.without("vcard") {
		if card := r.a.card.vcard(); card != nil {
			r.keepCard(r.a.card.where, card)
		}
	}
}
