package migrations

import "testing"

func TestSameStepsForBoth(t *testing.T) {
	lite, err := For("sqlite")
	if err != nil {
		t.Fatal(err)
	}
	pg, err := For("postgres")
	if err != nil {
		t.Fatal(err)
	}
	if len(lite) == 0 || len(lite) != len(pg) {
		t.Fatalf("%d steps for SQLite, %d for PostgreSQL", len(lite), len(pg))
	}
	for i := range lite {
		if lite[i].Version != pg[i].Version || lite[i].Name != pg[i].Name {
			t.Errorf("step %d is %q for SQLite and %q for PostgreSQL", i+1, lite[i].Name, pg[i].Name)
		}
	}
}

func TestUnknownKind(t *testing.T) {
	if _, err := For("oracle"); err == nil {
		t.Error("there are migrations for a database that we do not know")
	}
}
