// SPDX-License-Identifier: LGPL-2.1-or-later

// A WebRTC peer in Go that speaks to a hub as conic's own Go programs do: pion on gorilla's WebSocket,
// an id of its own making, candidates on their way before the offer is. Written for the tests, which give it
// commands and read what happens.
//
//	interop -hub ws://127.0.0.1:3000/ws [-id ID] [-video FILE] [-audio FILE] [-keep FOLDER]
//
// FILE is sent in every call (VP8, Opus, both in IVF), and what comes is kept in FOLDER as video.ivf and audio.ogg.
// Commands are JSON objects on standard input, one a line: {"cmd":"call","to":ID} offers a channel "chat", and with
// "receive":["audio","video"] to receive these,
// {"cmd":"send","text":…} says something on it, {"cmd":"candidate","to":ID} sends a candidate out of turn (to
// nobody without an ID), {"cmd":"leave"} unregisters. It ends with its standard input. What happens is a JSON
// object a line on standard output: {"ev": …}.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"

	"github.com/pion/webrtc/v4"
	"github.com/rs/xid"
)

var eventMutex sync.Mutex

type command struct {
	Cmd     string   `json:"cmd"`
	To      string   `json:"to"`
	Text    string   `json:"text"`
	Receive []string `json:"receive"`
}

// report prints an event for the test that reads it.
func report(event string, fields map[string]any) {
	line := map[string]any{"ev": event}
	for name, value := range fields {
		line[name] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		fail(err)
	}
	eventMutex.Lock()
	defer eventMutex.Unlock()
	fmt.Println(string(text))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "interop:", err)
	os.Exit(1)
}

func main() {
	hub := flag.String("hub", "ws://127.0.0.1:3000/ws", "where the hub is")
	id := flag.String("id", xid.New().String(), "our id; an xid if it isn't given")
	video := flag.String("video", "", "an IVF file with VP8 to send")
	audio := flag.String("audio", "", "an IVF file with Opus to send")
	folder := flag.String("keep", "", "a folder for what is received")
	flag.Parse()

	signaling, err := dial(*hub, *id)
	if err != nil {
		fail(err)
	}
	peer, err := newPeer(signaling)
	if err != nil {
		fail(err)
	}
	peer.folder = *folder
	for mimeType, path := range map[string]string{webrtc.MimeTypeVP8: *video, webrtc.MimeTypeOpus: *audio} {
		if path == "" {
			continue
		}
		if err := peer.play(path, mimeType); err != nil {
			fail(err)
		}
	}
	go signaling.read(peer)
	if err := signaling.send("register_request", registration{ClientID: *id}); err != nil {
		fail(err)
	}

	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		var c command
		if err := json.Unmarshal(commands.Bytes(), &c); err != nil {
			fail(err)
		}
		if err := peer.obey(&c); err != nil {
			fail(err)
		}
	}
	peer.close()
	signaling.close()
}
