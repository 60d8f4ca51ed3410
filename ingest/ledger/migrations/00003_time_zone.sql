-- An import keeps the zone in which its times were read: after a crash of PostgreSQL its rows are read again, and must become
-- what they were.

-- +goose Up
ALTER TABLE dropline.imports ADD COLUMN time_zone text NOT NULL DEFAULT '';
