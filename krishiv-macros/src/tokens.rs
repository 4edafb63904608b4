//! Tokens that are passed over, or shown to a person.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::buffer::Cursor;
use syn::parse::ParseStream;

/// Passes over the rest of an entry, and returns it: it ends at a comma, or where one is missing.
pub(crate) fn skip_entry(input: ParseStream<'_>) -> TokenStream {
    let skipped = input.step(|cursor| {
        let mut rest = *cursor;
        let mut skipped = TokenStream::new();
        // A comma between angle brackets separates types.
        let mut depth = 0_usize;
        // So does one between the bars of a closure.
        let mut inside_bars = false;
        let mut before = ' ';
        while let Some((token, next)) = rest.token_tree() {
            if depth == 0 && !skipped.is_empty() && begins_an_entry(rest) {
                break;
            }
            let mut this = ' ';
            if let TokenTree::Punct(punct) = &token {
                this = punct.as_char();
                match this {
                    ',' if depth == 0 && !inside_bars => break,
                    '|' => inside_bars = !inside_bars,
                    '<' => depth += 1,
                    '>' if !matches!(before, '-' | '=') => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            before = this;
            skipped.extend([token]);
            rest = next;
        }
        Ok((skipped, rest))
    });
    skipped.unwrap_or_default()
}

/// Whether `key =` comes next.
fn begins_an_entry(cursor: Cursor<'_>) -> bool {
    let Some((_, next)) = cursor.ident() else { return false };
    next.punct().is_some_and(|(punct, _)| punct.as_char() == '=')
}

/// The rest of an entry, left where it is.
pub(crate) fn entry_ahead(input: ParseStream<'_>) -> TokenStream {
    skip_entry(&input.fork())
}

/// The next token, left where it is.
pub(crate) fn next_token(input: ParseStream<'_>) -> TokenStream {
    input.fork().parse::<TokenTree>().map(TokenTree::into_token_stream).unwrap_or_default()
}

/// Tokens as a person would write them.
pub(crate) fn spelled(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    spell(tokens.to_token_stream(), &mut text);
    text
}

fn spell(tokens: TokenStream, text: &mut String) {
    let mut arrow = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                // As it is printed without its content: `()`, `[]`, `{}` or nothing.
                let around = proc_macro2::Group::new(group.delimiter(), TokenStream::new()).to_string();
                let (open, close) = around.split_at(around.len() / 2);
                if open == "[" && text.ends_with(is_of_a_word) {
                    text.push(' ');
                }
                text.push_str(open.trim());
                spell(group.stream(), text);
                text.push_str(close.trim());
            }
            TokenTree::Punct(punct) => {
                let this = punct.as_char();
                let begins_arrow = this == '-' && punct.spacing() == Spacing::Joint;
                match this {
                    ',' | ';' => text.extend([this, ' ']),
                    '+' | '=' => text.extend([' ', this, ' ']),
                    '-' if begins_arrow => text.push_str(" -"),
                    '>' if arrow => text.push_str("> "),
                    '\'' if text.ends_with(is_of_a_word) => text.push_str(" '"),
                    this => text.push(this),
                }
                arrow = begins_arrow;
            }
            word => {
                if text.ends_with(is_of_a_word) || text.ends_with('>') {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
            }
        }
    }
    // A list may end in a comma.
    text.truncate(text.trim_end().len());
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::spelled;

    #[test]
    fn types_read_as_they_were_written() {
        for text in [
            "u64",
            "std::collections::HashMap<String, Vec<(u8, [f32; 4])>>",
            "&'static str",
            "&'a mut [u8]",
            "Box<dyn Fn(&'a u8, &mut u8) -> Option<u8> + Send + 'static>",
            "<Vec<u8> as Ord>::max",
            "wider::<3>",
            "()",
        ] {
            let tokens: proc_macro2::TokenStream = text.parse().unwrap_or_default();
            assert_eq!(spelled(tokens), text);
        }
    }
}
