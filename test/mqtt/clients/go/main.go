// A user's client by the paho libraries of Go. It connects, subscribes where it is told to, prints
// what it hears, and publishes what stdin says, a line `TOPIC MESSAGE` each; stdin's end ends it.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// patience bounds each exchange with the gateway.
const patience = 20 * time.Second

// options are the same for the clients of all languages here.
type options struct {
	port, version, qos         int
	user, password, id, filter string
}

// client is one of the two libraries.
type client interface {
	// subscribe gives the QoS granted, or the reason why not.
	subscribe(filter string, qos byte) (byte, error)
	// publish gives the reason code of the acknowledgement; 0 where there is none.
	publish(topic string, qos byte, message string) (byte, error)
	disconnect() error
}

func main() {
	var given options
	flag.IntVar(&given.port, "port", 1883, "of the gateway, on this machine")
	flag.IntVar(&given.version, "version", 4, "4 is MQTT 3.1.1")
	flag.IntVar(&given.qos, "qos", 0, "to publish and to subscribe with")
	flag.StringVar(&given.user, "user", "", "user name")
	flag.StringVar(&given.password, "password", "", "password")
	flag.StringVar(&given.id, "id", "", "client id")
	flag.StringVar(&given.filter, "filter", "", "topic filter to subscribe to")
	flag.Parse()
	if err := run(given); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(given options) error {
	connect := connect3
	if given.version == 5 {
		connect = connect5
	}
	client, err := connect(given)
	if err != nil {
		return err
	}
	fmt.Println("connected")
	if given.filter != "" {
		granted, err := client.subscribe(given.filter, byte(given.qos))
		if err != nil {
			return err
		}
		fmt.Println("subscribed", granted)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		topic, message, _ := strings.Cut(lines.Text(), " ")
		reason, err := client.publish(topic, byte(given.qos), message)
		if err != nil {
			return err
		}
		fmt.Println("published", reason)
	}
	return client.disconnect()
}

func heard(qos byte, topic string, payload []byte) {
	fmt.Printf("heard %d %s %s\n", qos, topic, payload)
}
