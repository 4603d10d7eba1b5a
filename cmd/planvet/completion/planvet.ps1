# Completion of planvet for PowerShell. In $PROFILE: planvet completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName planvet -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition -or ($wordToComplete -eq '' -and $_.Extent.EndOffset -le $cursorPosition) } |
        ForEach-Object { $_.Extent.Text })
    # A native command is given no empty argument: the last word has a mark before it.
    & $commandAst.CommandElements[0].Extent.Text __complete powershell @words "=$wordToComplete" 2>$null | ForEach-Object {
        $value, $text = $_ -split "`t", 2
        if ($value -ne ':files') {
            if (-not $text) { $text = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $text)
        }
    }
}
