//! Figures in Prometheus's text form.

use std::fmt::Write;

use super::figures::Figure;

/// The text; figures of one name must stand together.
pub(super) fn text(figures: &[Figure]) -> String {
    let mut text = String::new();
    let mut last = "";
    for figure in figures {
        if figure.name != last {
            last = figure.name;
            push(&mut text, format_args!("# TYPE {last} gauge\n"));
        }
        text.push_str(figure.name);
        for (at, (name, value)) in figure.labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            push(&mut text, format_args!("{before}{name}=\"{}\"", escape(value)));
        }
        if !figure.labels.is_empty() {
            text.push('}');
        }
        push(&mut text, format_args!(" {}\n", figure.value));
    }
    text
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a string takes whatever is written to it");
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_one_name_share_a_type_line_and_labels_are_escaped() {
        let figure = |name, labels, value| Figure { name, labels, value };
        let figures = [
            figure("a", vec![("job", "x\"y\\z\n".to_string()), ("group", "g".to_string())], 1),
            figure("a", vec![], 2),
            figure("b", vec![], 3),
        ];
        let wanted = "# TYPE a gauge\na{job=\"x\\\"y\\\\z\\n\",group=\"g\"} 1\na 2\n# TYPE b gauge\nb 3\n";
        assert_eq!(text(&figures), wanted);
    }
}
