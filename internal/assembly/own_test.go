package assembly

import (
	"fmt"
	"testing"

	"rollcall/config"
	"rollcall/internal/operator"
	"rollcall/storage"
	"rollcall/xmpp/sasl"
)

// What people do to their own accounts is written down if it is done.
func TestOwnActsAreNoted(t *testing.T) {
	ctx := t.Context()
	db, err := storage.Open(ctx, storage.Config{Driver: storage.SQLite, Path: storage.Memory})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	desk := operator.New(operator.Parts{DB: db, Config: config.Default()})
	o := own{db.Registrations(sasl.MinIterations), desk}
	if err := o.Create(ctx, "ada@x", "analytical"); err != nil {
		t.Fatal(err)
	}
	if o.Create(ctx, "ada@x", "analytical") == nil || o.SetPassword(ctx, "bob@x", "p") == nil || o.Remove(ctx, "bob@x") == nil {
		t.Error("what cannot be done was done")
	}
	if err := o.SetPassword(ctx, "ada@x", "difference"); err != nil {
		t.Fatal(err)
	}
	if err := o.Remove(ctx, "ada@x"); err != nil {
		t.Fatal(err)
	}
	a, err := desk.Do(ctx, operator.Actor{}, operator.NewOrder("audit.list"))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, row := range a.Rows {
		got += fmt.Sprintln(row[1], row[3], row[4], row[6])
	}
	if want := "ada@x own.remove ada@x done\nada@x own.passwd ada@x done\nada@x own.register ada@x done\n"; got != want {
		t.Errorf("the audit log has\n%swant\n%s", got, want)
	}
}
