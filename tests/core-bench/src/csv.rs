//! Comma-separated tables with named columns: what is wrong is said with file, line and a hint.
//!
//! Fields are never quoted: names with commas are not offered.

/// A table whose columns are known.
pub struct Table {
    file: String,
    columns: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
}

/// A line of a table.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table,
    /// Its number in the file, from 1.
    pub line: usize,
    fields: &'a [String],
}

impl Table {
    /// Reads `text`, which came from `file`. Every one of `needed` must be a column; others may only be of `offered`.
    pub fn parse(file: &str, text: &str, needed: &[&str], offered: &[&str]) -> Result<Self, String> {
        let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_end_matches('\r')));
        let (_, head) = lines.next().ok_or_else(|| format!("{file}: is empty; the first line names the columns"))?;
        let columns: Vec<String> =
            head.trim_start_matches('\u{feff}').split(',').map(|name| name.trim().into()).collect();
        let all = || [needed, offered].concat().join(",");
        if let Some(missing) = needed.iter().find(|name| !columns.iter().any(|known| known == *name)) {
            return Err(format!("{file}, line 1: there is no column {missing}; columns are {}", all()));
        }
        let is_known = |name: &&String| [needed, offered].concat().contains(&name.as_str());
        if let Some(unknown) = columns.iter().find(|name| !is_known(name)) {
            return Err(format!("{file}, line 1: nobody knows the column `{unknown}`; columns are {}", all()));
        }
        let mut rows = Vec::new();
        for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
            if text.contains('"') {
                return Err(format!("{file}, line {line}: a quotation mark; fields are never quoted here"));
            }
            let fields: Vec<String> = text.split(',').map(|field| field.trim().into()).collect();
            if fields.len() != columns.len() {
                let (found, wanted) = (fields.len(), columns.len());
                return Err(format!("{file}, line {line}: {found} fields under {wanted} columns ({head})"));
            }
            rows.push((line, fields));
        }
        Ok(Self { file: file.into(), columns, rows })
    }

    /// Its lines, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, fields)| Row { table: self, line: *line, fields })
    }
}

impl<'a> Row<'a> {
    /// The field under `column`; empty where there is no such column.
    pub fn text(self, column: &str) -> &'a str {
        let at = self.table.columns.iter().position(|name| name == column);
        at.map_or("", |at| self.fields[at].as_str())
    }

    /// The whole number under `column`; none for an empty field.
    pub fn number(self, column: &str) -> Result<Option<u64>, String> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        let hint = "a whole number, not negative; CPU is in MHz, memory and disk in MiB, a device in thousandths, time in seconds";
        text.parse().map(Some).map_err(|_| self.wrong(&format!("{column} is `{text}`, and should be {hint}")))
    }

    /// What is wrong with this line.
    pub fn wrong(self, what: &str) -> String {
        format!("{}, line {}: {what}", self.table.file, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let table = match Table::parse("nodes.csv", text, &["name", "cpu"], &["disk"]) {
            Ok(table) => table,
            Err(error) => return error,
        };
        table.rows().find_map(|row| row.number("cpu").err()).unwrap_or_default()
    }

    #[test]
    fn columns_come_in_any_order_and_optional_ones_may_be_absent() {
        let table = Table::parse("t", "cpu,name\n100, a \r\n\n200,b\n", &["name", "cpu"], &["disk"]).unwrap();
        let rows: Vec<_> = table.rows().map(|row| (row.line, row.text("name"), row.number("cpu"))).collect();
        assert_eq!(rows, [(2, "a", Ok(Some(100))), (4, "b", Ok(Some(200)))]);
        assert_eq!(table.rows().next().unwrap().number("disk"), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_said_with_file_line_and_hint() {
        assert_eq!(error(""), "nodes.csv: is empty; the first line names the columns");
        assert_eq!(error("name\n"), "nodes.csv, line 1: there is no column cpu; columns are name,cpu,disk");
        assert_eq!(
            error("name,cpu,ram\n"),
            "nodes.csv, line 1: nobody knows the column `ram`; columns are name,cpu,disk"
        );
        assert_eq!(error("name,cpu\na,1\nb\n"), "nodes.csv, line 3: 1 fields under 2 columns (name,cpu)");
        assert!(error("name,cpu\na,1\nb,1.5\n").starts_with("nodes.csv, line 3: cpu is `1.5`, and should be a whole"));
        assert!(error("name,cpu\n\"a\",1\n").starts_with("nodes.csv, line 2: a quotation mark"));
    }
}
