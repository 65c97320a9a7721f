//! Generation of the struct of an object's settings, in which all values are known.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, GenericArgument, Ident, PathArguments, Type};

use crate::attribute::Field;

/// Generates the struct, and implements `Setting` for the object.
pub(crate) fn expand(input: &DeriveInput, fields: &[Field]) -> syn::Result<TokenStream> {
    let DeriveInput { ident: object, vis, .. } = input;
    let name = format_ident!("{object}Settings");
    let doc = format!("The settings of [`{object}`], all of them known.");
    let settings: Vec<&Field> = fields.iter().filter(|field| field.is_setting()).collect();
    let definitions = settings.iter().map(|field| definition(field)).collect::<syn::Result<Vec<_>>>()?;
    let shown = settings.iter().filter(|field| !field.is_secret()).map(|field| field.show());
    let end =
        if settings.iter().any(|field| field.is_secret()) { quote!(finish_non_exhaustive) } else { quote!(finish) };
    let secrets = secrets(&name, &settings);
    Ok(quote! {
        #secrets
        #[doc = #doc]
        #[derive(Clone, Default, PartialEq, ::tfplugin::serde::Serialize, ::tfplugin::serde::Deserialize)]
        #[serde(crate = "::tfplugin::serde", default, deny_unknown_fields)]
        #vis struct #name { #(#definitions),* }

        #[automatically_derived]
        impl ::std::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(::std::stringify!(#name))#(#shown)*.#end()
            }
        }
        #[automatically_derived]
        impl ::tfplugin::framework::settings::Setting for #object {
            type Plain = #name;
        }
    })
}

/// Generates the accessor of the secrets, which serde does not serialise.
fn secrets(name: &Ident, settings: &[&Field]) -> TokenStream {
    let secrets: Vec<TokenStream> = settings
        .iter()
        .filter(|field| field.is_secret())
        .map(|Field { ident, name, .. }| quote!((#name, self.#ident.as_ref())))
        .collect();
    if secrets.is_empty() {
        return TokenStream::new();
    }
    quote! {
        impl #name {
            /// The secrets that are set, by the names of their attributes. They are not serialised.
            pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &::tfplugin::framework::value::Secret)> {
                [#(#secrets),*].into_iter().filter_map(|(name, secret)| ::std::option::Option::map(secret, |secret| (name, secret)))
            }
        }
    }
}

fn definition(field: &Field) -> syn::Result<TokenStream> {
    let Field { ident, name, description, vis, .. } = field;
    let ty = match &field.setting {
        Some(ty) => quote!(#ty),
        None => {
            let ty = content(&field.ty)?;
            quote!(<#ty as ::tfplugin::framework::settings::Setting>::Plain)
        }
    };
    // A secret is never serialised.
    let skip = match field.is_secret() {
        true => quote!(skip_serializing),
        false => quote!(skip_serializing_if = "::std::option::Option::is_none"),
    };
    Ok(quote! {
        #[doc = #description]
        #[serde(rename = #name, #skip)]
        #vis #ident: ::std::option::Option<#ty>
    })
}

/// Returns the `T` of `Value<T>`.
fn content(ty: &Type) -> syn::Result<&Type> {
    if let Type::Path(path) = ty
        && let Some(PathArguments::AngleBracketed(arguments)) = path.path.segments.last().map(|last| &last.arguments)
        && let Some(GenericArgument::Type(content)) = arguments.args.first()
    {
        return Ok(content);
    }
    Err(syn::Error::new_spanned(ty, "an attribute has the type Value<T>"))
}
