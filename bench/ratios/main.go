// Ratios reads what the load tool measured of this server and others in one
// run, and prints for each goal the medians, the ratio to the best of the
// others, and whether the goal is met.
//
//	ratios [-goals xmpp] [-server rollcall] [-archive mam.jsonl] runs.jsonl...
//	ratios -goals sip sip.jsonl...
//
// The exit status says only whether the files could be read: on a busy machine
// a goal can be missed by bad luck, and whoever reads the table judges.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("ratios: ")
	server := flag.String("server", "rollcall", "the server that the goals are for")
	archive := flag.String("archive", "", "results that were measured with message archives on")
	which := flag.String("goals", "xmpp", "which goals: xmpp or sip")
	flag.Parse()
	list, known := map[string][]goal{"xmpp": goals, "sip": sipGoals}[*which]
	if !known {
		log.Fatal("-goals is xmpp or sip")
	}
	plain, err := read(flag.Args()...)
	if err != nil {
		log.Fatal(err)
	}
	archived := results{}
	if *archive != "" {
		if archived, err = read(*archive); err != nil {
			log.Fatal(err)
		}
	}
	if err := table(os.Stdout, list, *server, plain, archived); err != nil {
		log.Fatal(err)
	}
	for _, w := range append(inexact(plain), inexact(archived)...) {
		fmt.Println("Not exact:", w)
	}
}
