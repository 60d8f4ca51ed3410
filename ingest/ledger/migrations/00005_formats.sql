-- What is in an archive or workbook, or feeds several tables, is listed file by file below what was delivered.

-- +goose Up
ALTER TABLE dropline.import_files
    ADD COLUMN container integer NOT NULL DEFAULT 0, -- number of the file that it was unpacked from
    ADD COLUMN member    text NOT NULL DEFAULT '',
    ADD COLUMN output    integer NOT NULL DEFAULT 0; -- which of the tables that the mapping makes of it
