// Command casino serves the floor of a casino over HTTP.
//
//	casino migrate [-platform] -database-url URL
//	casino seed    [-casinos N] [-players N] -database-url URL
//	casino token   -casino UUID -user UUID -secret TEXT
//	casino [serve] [-listen ADDR] -database-url URL -secret TEXT
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/casino/internal/api"
	"example.com/casino/internal/seed"
	"example.com/casino/internal/token"
	"example.com/casino/supabase"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "casino:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	command := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("casino "+command, flag.ContinueOnError)
	databaseURL := flags.String("database-url", os.Getenv("DATABASE_URL"), "the database, as the owner of the tables")
	secret := flags.String("secret", os.Getenv("JWT_SECRET"), "what tokens are signed with")
	switch command {
	case "serve":
		listen := flags.String("listen", "127.0.0.1:8080", "the address to serve at")
		if err := flags.Parse(args); err != nil {
			return err
		}
		return serve(ctx, *databaseURL, *listen, *secret, out)
	case "migrate":
		platform := flags.Bool("platform", false, "make the objects that a Supabase server has first")
		if err := flags.Parse(args); err != nil {
			return err
		}
		return migrate(ctx, *databaseURL, *platform, out)
	case "seed":
		var size seed.Size
		flags.IntVar(&size.Casinos, "casinos", 5, "casinos to make")
		flags.IntVar(&size.Players, "players", 2000, "players a casino")
		if err := flags.Parse(args); err != nil {
			return err
		}
		return withConn(ctx, *databaseURL, func(conn *pgx.Conn) error { return seed.Fill(ctx, conn, size) })
	case "token":
		casino := flags.String("casino", "", "the casino's id")
		user := flags.String("user", "", "the user's id")
		if err := flags.Parse(args); err != nil {
			return err
		}
		signed, err := token.Sign(token.Claims{
			Subject: *user, Role: "authenticated", Expires: time.Now().Add(8 * time.Hour).Unix(),
			AppMetadata: token.AppMetadata{CasinoID: *casino},
		}, []byte(*secret))
		if err == nil {
			fmt.Fprintln(out, signed)
		}
		return err
	}
	return fmt.Errorf("unknown command %q: use serve, migrate, seed or token", command)
}

func serve(ctx context.Context, databaseURL, listen, secret string, out io.Writer) error {
	if secret == "" {
		return errors.New("a secret is needed to check tokens: set -secret or JWT_SECRET")
	}
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := pool.Ping(ctx); err != nil {
		return err
	}
	server := &http.Server{
		Addr:              listen,
		Handler:           api.New(pool, []byte(secret), slog.New(slog.NewTextHandler(out, nil))),
		ReadHeaderTimeout: 5 * time.Second,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(last)
	}()
	fmt.Fprintf(out, "serving at http://%s\n", listen)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func migrate(ctx context.Context, databaseURL string, platform bool, out io.Writer) error {
	return withConn(ctx, databaseURL, func(conn *pgx.Conn) error {
		if platform {
			if err := supabase.Platform(ctx, conn); err != nil {
				return err
			}
		}
		applied, err := supabase.Migrate(ctx, conn)
		if err != nil {
			return err
		}
		for _, name := range applied {
			fmt.Fprintln(out, "applied", name)
		}
		return nil
	})
}

func withConn(ctx context.Context, databaseURL string, work func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return work(conn)
}
